"""Levels: detect a clip whose limited range was read as full range, or the other way round.

8-bit video stores luma in 16..235 and chroma in 16..240 (limited range, ITU-R BT.601 and BT.709) or both in 0..255
(full range). A player or an export that confuses the two squeezes or stretches every picture in the same way; users say
"washed out" or "too dark". The key insight: this error has exactly two forms and no free parameter, so either undoing
it explains the difference or does not; nothing is fitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.clip.bands import bands
from spacediff.record import Fact, FactKind, fact

_EXPLAINED = 0.25
"""Largest share of the squared error that may remain after the correction; a wrong correction increases it."""


class Levels(StrEnum):
    """The candidate's levels relative to the reference's; the pictures do not show which of the two is right."""

    KEPT = "kept"
    SQUEEZED = "squeezed"  # as if full range was written as limited: looks washed out compared with the reference
    STRETCHED = "stretched"  # as if limited range was read as full: more contrast than the reference

    @property
    def notes(self) -> tuple[Fact, ...]:
        """The finding; empty if the levels agree."""
        if self is Levels.KEPT:
            return ()
        return (fact(FactKind.LEVELS_DIFFER, squeezed=self is Levels.SQUEEZED),)

    def corrected(self, frame: Frame) -> Frame:
        """Correct the range of a candidate's frame, uint8 `[H, W, 3]`."""
        if self is Levels.KEPT:
            return frame
        return _stretched(frame) if self is Levels.SQUEEZED else _squeezed(frame)


def levels(pairs: Iterable[tuple[Frame, Frame]]) -> Levels:
    """Detect how the candidate's levels relate to the reference's.

    Args:
        pairs: Aligned frames of reference and candidate, each uint8 `[H, W, 3]`.
    """
    errors = dict.fromkeys(Levels, 0.0)
    for reference, candidate in pairs:
        errors[Levels.KEPT] += _squared_error(reference, candidate)
        # the clip with the narrower range is stretched: this clips values as the confusion may have done, while
        # squeezing restores no clipped value
        errors[Levels.SQUEEZED] += _squared_error(reference, _stretched(candidate))
        errors[Levels.STRETCHED] += _squared_error(_stretched(reference), candidate)
    best = min(errors, key=lambda hypothesis: errors[hypothesis])
    return best if errors[best] < _EXPLAINED * errors[Levels.KEPT] else Levels.KEPT


def _squared_error(left: Frame, right: Frame) -> float:
    return float(cv2.norm(left, right, cv2.NORM_L2SQR)) / left.size


def _squeezed(frame: Frame) -> Frame:
    return _scaled(frame, 219 / 255, 16.0, 224 / 255)


def _stretched(frame: Frame) -> Frame:
    return _scaled(frame, 255 / 219, -16.0 * 255 / 219, 255 / 224)


def _scaled(frame: Frame, luma_gain: float, luma_offset: float, chroma_gain: float) -> Frame:
    """Scale luma and chroma around its middle."""
    scaled = np.empty_like(frame)
    for rows in bands(frame):
        scaled[rows] = _scaled_pixels(frame[rows], luma_gain, luma_offset, chroma_gain)
    return scaled


def _scaled_pixels(frame: Frame, luma_gain: float, luma_offset: float, chroma_gain: float) -> Frame:
    planes: NDArray[np.float32] = cv2.cvtColor(frame.astype(np.float32), cv2.COLOR_RGB2YCrCb)
    # OpenCV puts the middle of floating-point chroma at 0.5
    planes[..., 0] = planes[..., 0] * luma_gain + luma_offset
    planes[..., 1:] = (planes[..., 1:] - 0.5) * chroma_gain + 0.5
    picture: NDArray[np.float32] = cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
