"""Where in the pictures SSIM is lost: its map, one value for each pixel, in cells coarse enough to keep and to embed.

The values are those that the metric averages (see `spacediff.metrics.pixel`), so the mean of a map is the frame's SSIM.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.metrics.pixel import RADIUS, ssim_map

Floats = NDArray[np.float32]

_CELLS = 64
"""Cells along the longer side: fine enough to tell a hand from a bowl, and 49 tiles still make 100 kB."""


_ROUNDING = 1e-6
"""What an SSIM of 1 may lack once it was averaged."""
_HIGHEST = 8192
"""Pixels down a picture of tiles; browsers draw no higher one than 16,384 to 32,767."""


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
    levels = np.asarray(np.rint(255 * np.clip(means, 0, 1)), dtype=np.uint8)
    return np.where(means < 1 - _ROUNDING, np.minimum(levels, 254), levels)


def write_map(pairs: Iterable[tuple[Frame, Frame]], path: Path) -> tuple[int, int, int]:
    """Write the maps of frame pairs as one grey PNG; return a tile's rows and columns, and how many lie abreast."""
    tiles = np.stack([tile(ssim_map(reference, candidate)) for reference, candidate in pairs])
    path.parent.mkdir(parents=True, exist_ok=True)
    _, rows, columns = tiles.shape
    laid = lay(tiles, across := abreast(len(tiles), rows))
    path.write_bytes(png(laid))
    return rows, columns, across


def abreast(count: int, rows: int) -> int:
    """Return how many tiles have to lie side by side so that the picture does not become too high."""
    return math.ceil(count / max(1, _HIGHEST // rows))


def lay(tiles: NDArray[np.uint8], across: int) -> NDArray[np.uint8]:
    """Lay tiles `[N, rows, columns]` from left to right, then down; what is left of the last line is white."""
    count, rows, columns = tiles.shape
    lines = math.ceil(count / across)
    rest = np.full((lines * across - count, rows, columns), 255, np.uint8)
    whole = np.concatenate([tiles, rest]).reshape(lines, across, rows, columns)
    return whole.transpose(0, 2, 1, 3).reshape(lines * rows, across * columns)


def taken_up(laid: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Return the tiles `[N, rows, columns]` of a picture, the white ones at its end included."""
    lines, across = laid.shape[0] // rows, laid.shape[1] // columns
    return laid.reshape(lines, rows, across, columns).transpose(0, 2, 1, 3).reshape(-1, rows, columns)


def png(levels: NDArray[np.uint8]) -> bytes:
    """Return a grey picture as PNG."""
    return bytes(cv2.imencode(".png", levels)[1])
