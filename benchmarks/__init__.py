"""How fast is it? `python -m benchmarks` measures against named peers; the other files are its parts."""
