"""Whether a clip shows anything: a single colour is what NaN, a safety checker or a failed decoder leaves."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from spacediff.clip import Frame

_SPREAD = 2
"""Levels by which a channel may vary in a single colour: what a lossy codec does to one."""


def only_colour(frames: Iterable[Frame]) -> list[int] | None:
    """Return the RGB levels that all pixels of a clip have, within two levels; None where it shows something.

    Args:
        frames: At least one frame, each uint8 `[H, W, 3]`, RGB.
    """
    low = high = None
    for frame in frames:
        least, most = frame.min((0, 1)).astype(int), frame.max((0, 1)).astype(int)
        low = least if low is None else np.minimum(low, least)
        high = most if high is None else np.maximum(high, most)
        if (high - low > _SPREAD).any():
            return None
    return None if low is None or high is None else [int(level) for level in (low + high) // 2]
