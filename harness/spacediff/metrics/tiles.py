"""Tiles: the place and the moment where two clips differ most, which a mean over frames and pixels hides.

The key insight: a lost object of 32x32 pixels is 0.3 % of a frame of 720x480, so that no mean over the frame sees it;
inside a tile that it covers it is the whole error. Tiles are judged at every position, so none is cut by a grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

import cv2
import numpy as np

from spacediff.clip import Frame
from spacediff.clip.bands import bands

SIDE = 16
"""Height and width of a tile in pixels: the macroblock of H.264 (ITU-T H.264, 3.85), which shares one quantiser."""

_SUM_OF_CHANNELS = np.ones((1, 3), np.float32)


@dataclass(frozen=True)
class Tile:
    """A tile of a frame pair with its error.

    Attributes:
        error: Mean absolute difference of the 8-bit RGB values in the tile, in levels (0 to 255).
        frame: Number of the frame, from 0.
        x: Pixels from the left edge of the frame to the tile.
        y: Pixels from its upper edge.
        width: Pixels; less than `SIDE` only where the frame is narrower.
        height: Pixels; less than `SIDE` only where the frame is lower.
    """

    error: float
    frame: int
    x: int
    y: int
    width: int
    height: int


def worst_tile(one: Frame, other: Frame, number: int = 0) -> Tile:
    """Find the tile in which two frames differ most, of all positions; of equal ones the first.

    Args:
        one: uint8 `[H, W, 3]`.
        other: uint8 of the same shape.
        number: Number of the frame.
    """
    height, width = (min(SIDE, side) for side in one.shape[:2])
    largest, x, y = -1.0, 0, 0
    for corners in bands(one[: one.shape[0] - height + 1]):
        rows = slice(corners.start, corners.stop + height - 1)
        differences = cv2.absdiff(one[rows], other[rows])
        # sums of levels in a tile are whole numbers that float32 has; the anchor makes (x, y) the upper left corner
        sums = cv2.boxFilter(differences, cv2.CV_32F, (width, height), anchor=(0, 0), normalize=False)
        inside = sums[: corners.stop - corners.start, : one.shape[1] - width + 1]
        _, found, _, (left, top) = cv2.minMaxLoc(cv2.transform(inside, _SUM_OF_CHANNELS))
        if found > largest:
            largest, x, y = found, left, corners.start + top
    return Tile(largest / (width * height * one.shape[2]), number, int(x), int(y), width, height)


@dataclass(frozen=True)
class ClipDifference:
    """How far two clips differ.

    Attributes:
        worst: The worst tile of the worst frame; the first of equal ones.
        mean: Mean absolute difference of the 8-bit RGB values of all frames, in levels.
    """

    worst: Tile
    mean: float


def difference_of_clips(one: Iterable[Frame], other: Iterable[Frame]) -> ClipDifference | None:
    """Measure how far two clips differ, with one pair of frames in memory.

    Args:
        one: Frames, each uint8 `[H, W, 3]`.
        other: Frames of the same size.

    Returns:
        The difference; None where there is no frame, or one has more frames than the other.
    """
    worst: Tile | None = None
    means: list[float] = []
    for number, (left, right) in enumerate(zip_longest(one, other)):
        if left is None or right is None:
            return None
        tile = worst_tile(left, right, number)
        worst = tile if worst is None or tile.error > worst.error else worst
        means.append(float(cv2.norm(left, right, cv2.NORM_L1)) / left.size)
    return ClipDifference(worst, math.fsum(means) / len(means)) if worst else None


def worst_of_clips(one: Iterable[Frame], other: Iterable[Frame]) -> Tile | None:
    """Find the worst tile of the worst frame of two clips; see `difference_of_clips`."""
    found = difference_of_clips(one, other)
    return found.worst if found else None
