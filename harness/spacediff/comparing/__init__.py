"""Comparing: clips, traces and contents against the reference, on a scale from a re-run to a different seed."""
