"""The observer: hooks on a diffusers pipeline, and what was seen through them.

It imports nothing else of spacediff, and nothing beyond torch, diffusers, NumPy, psutil and the standard library: so
the same code can observe a pipeline of spacediff and one in somebody else's script.
"""
