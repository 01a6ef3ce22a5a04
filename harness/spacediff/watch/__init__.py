"""What runs inside a user's own script: it records the pipeline calls there, and changes nothing.

It imports only `spacediff.observer`, torch, diffusers, NumPy and the standard library, the libraries only once the
script has done so. So a copy of the two packages records in any environment with Python 3.10 or newer.
Nothing in here may fail where the script would notice: what cannot be recorded is noted in the recording.
"""
