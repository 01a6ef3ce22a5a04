"""The observer: hooks on a diffusers pipeline, and the data that they record.

It imports no other part of spacediff, and only torch, diffusers, NumPy, psutil and the standard library. So the same
code can observe a pipeline of spacediff and a pipeline in any other script.
"""
