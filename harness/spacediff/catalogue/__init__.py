"""The catalogue of known causes: what is known to change an output at equal prompt and seed."""
