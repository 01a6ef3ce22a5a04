"""Whether a run fits on this machine, found out before anything is generated, and what would make it fit."""
