"""A Space under test: whether it repeats itself, what it makes of its inputs, and what a call costs, in a few calls."""
