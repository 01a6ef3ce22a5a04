"""Whether a clip shows anything: a single colour is what NaN, a safety checker or a failed decoder leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SPREAD = 2
"""Levels by which a channel may vary in a single colour: what a lossy codec does to one."""


def only_colour(frames: NDArray[np.uint8]) -> list[int] | None:
    """Return the RGB levels that all pixels of a clip have, within two levels; None where it shows something.

    Args:
        frames: The clip, uint8 `[T, H, W, 3]`, RGB.
    """
    low, high = frames[0].min((0, 1)).astype(int), frames[0].max((0, 1)).astype(int)
    for frame in frames:
        low, high = np.minimum(low, frame.min((0, 1))), np.maximum(high, frame.max((0, 1)))
        if (high - low > _SPREAD).any():
            return None
    return [int(level) for level in (low + high) // 2]
