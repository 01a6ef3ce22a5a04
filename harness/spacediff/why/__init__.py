"""A script and a Space side by side: what differs, the scenario that measures it, and the patch."""
