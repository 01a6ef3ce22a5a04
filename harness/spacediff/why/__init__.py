"""A script compared with a Space: what they set differently, the scenario that measures it, and the patch."""
