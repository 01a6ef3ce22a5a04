"""Levels: notice a clip whose limited range was read as full range, or the other way round.

8-bit video keeps luma in 16..235 and chroma in 16..240 (limited range, ITU-R BT.601 and BT.709) or both in 0..255
(full range). A player or an export that mixes the two up squeezes or stretches every picture alike; users say "washed
out" or "too dark". The key insight: the mistake has exactly two forms and no free parameter, so undoing it either
explains the difference or does not; nothing is fitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame

_EXPLAINED = 0.25
"""At most this share of the squared error may be left once the mistake is undone; a wrong guess adds to it."""


class Levels(StrEnum):
    """How the candidate's levels stand to the reference's; which of the two is right, the pictures do not tell."""

    KEPT = "kept"
    SQUEEZED = "squeezed"  # as if full range was written as limited: washed out beside the reference
    STRETCHED = "stretched"  # as if limited range was read as full: more contrast than the reference

    @property
    def note(self) -> str:
        """The finding in words; empty when the levels were kept."""
        if self is Levels.KEPT:
            return ""
        squeezed, stretched = "squeezed into the limited range", "stretched from limited to full range"
        ours, theirs = (squeezed, stretched) if self is Levels.SQUEEZED else (stretched, squeezed)
        return (
            f"one of the two mixes up its range: either this clip's levels are {ours} once too often, or the "
            f"reference's are {theirs} once too often; it was undone on this clip before the comparison, but for "
            "what the mistake had clipped"
        )

    def undone(self, frame: Frame) -> Frame:
        """Return a candidate's frame with the mistake undone, uint8 `[H, W, 3]`."""
        if self is Levels.KEPT:
            return frame
        return _stretched(frame) if self is Levels.SQUEEZED else _squeezed(frame)


def levels(pairs: Iterable[tuple[Frame, Frame]]) -> Levels:
    """Return how the candidate's levels stand to the reference's.

    Args:
        pairs: Frames of reference and candidate that lie on each other, each uint8 `[H, W, 3]`.
    """
    errors = dict.fromkeys(Levels, 0.0)
    for reference, candidate in pairs:
        errors[Levels.KEPT] += _squared_error(reference, candidate)
        # whichever is the narrower is stretched: that clips as the mistake may have done, and squeezing brings no
        # clipped value back
        errors[Levels.SQUEEZED] += _squared_error(reference, _stretched(candidate))
        errors[Levels.STRETCHED] += _squared_error(_stretched(reference), candidate)
    best = min(errors, key=lambda found: errors[found])
    return best if errors[best] < _EXPLAINED * errors[Levels.KEPT] else Levels.KEPT


def _squared_error(left: Frame, right: Frame) -> float:
    return float(cv2.norm(left, right, cv2.NORM_L2SQR)) / left.size


def _squeezed(frame: Frame) -> Frame:
    return _scaled(frame, 219 / 255, 16.0, 224 / 255)


def _stretched(frame: Frame) -> Frame:
    return _scaled(frame, 255 / 219, -16.0 * 255 / 219, 255 / 224)


def _scaled(frame: Frame, luma_gain: float, luma_offset: float, chroma_gain: float) -> Frame:
    """Scale luma and chroma around its middle."""
    planes: NDArray[np.float32] = cv2.cvtColor(frame.astype(np.float32), cv2.COLOR_RGB2YCrCb)
    # OpenCV puts the middle of floating-point chroma at 0.5
    planes[..., 0] = planes[..., 0] * luma_gain + luma_offset
    planes[..., 1:] = (planes[..., 1:] - 0.5) * chroma_gain + 0.5
    picture: NDArray[np.float32] = cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
