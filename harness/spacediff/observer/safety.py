"""What a pipeline's output says of pictures that its safety checker replaced."""

from __future__ import annotations

from typing import Any

_FIELDS = ("nsfw_content_detected", "nsfw_detected", "has_nsfw_concept")
"""Fields of an output with one truth value for each picture. Sources: `pipeline_output.py` of diffusers 0.42."""


def censored_in(output: Any) -> tuple[int, ...]:
    """Return the numbers of the pictures that a safety checker replaced, from 0.

    Args:
        output: The output, or the tuple that a pipeline returns without `return_dict`.
    """
    flags = next((found for name in _FIELDS if (found := getattr(output, name, None)) is not None), None)
    if flags is None and isinstance(output, tuple):
        lists = (each for each in output[1:] if isinstance(each, list) and each)
        flags = next((each for each in lists if all(isinstance(flag, bool) for flag in each)), None)
    several: Any = flags if hasattr(flags, "__len__") else [flags]
    return tuple(number for number, flag in enumerate(several) if flag)
