"""How the numbers of a run are computed: torch's switches, and which attention kernels diffusers calls."""
