"""Where in the pictures SSIM is lost: its map, one value for each pixel, in cells coarse enough to keep and to embed.

The values are those that the metric averages (see `harness.metrics.pixel`), so the mean of a map is the frame's SSIM.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.clip import Frame
from harness.metrics.pixel import RADIUS, ssim_map

Floats = NDArray[np.float32]

_CELLS = 64
"""Cells along the longer side: fine enough to tell a hand from a bowl, and 49 tiles still make 100 kB."""


def cells_of(height: int, width: int) -> tuple[int, int]:
    """Return how many rows and columns of cells a frame's map is kept in; cells are squares, but for rounding."""
    side = max(1, math.ceil(max(height, width) / _CELLS))
    return math.ceil(height / side), math.ceil(width / side)


def tile(values: Floats) -> NDArray[np.uint8]:
    """Return a map as it is kept: the mean of each cell, level 255 for an SSIM of 1, level 0 for 0 and below.

    The map has no value for the outermost five rows and columns; they repeat their neighbours'.
    """
    whole = cv2.copyMakeBorder(values, RADIUS, RADIUS, RADIUS, RADIUS, cv2.BORDER_REPLICATE)
    rows, columns = cells_of(whole.shape[0], whole.shape[1])
    means = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(np.rint(255 * np.clip(means, 0, 1)), dtype=np.uint8)


def write_map(pairs: Iterable[tuple[Frame, Frame]], path: Path) -> tuple[int, int]:
    """Write the maps of frame pairs as one grey PNG, a tile below the other; return a tile's rows and columns."""
    tiles = [tile(ssim_map(reference, candidate)) for reference, candidate in pairs]
    _, content = cv2.imencode(".png", np.concatenate(tiles))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.tobytes())
    rows, columns = tiles[0].shape
    return rows, columns
