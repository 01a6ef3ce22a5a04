"""What the interpreter computes with: a lattice of values from a known constant to unknown."""
