"""What the command line shows: progress while it works, and what came out; colour on a terminal only."""
