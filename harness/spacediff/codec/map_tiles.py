"""Map tiles: how a heat map is arranged in its file, one tile for each pair of frames, from left to right, then down.

The audit writes such files and the report makes smaller ones of them; `MapRecord` describes them to everybody else.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

_MAX_HEIGHT = 8192
"""Height of a sheet of tiles in pixels; the limit of browsers is between 16,384 and 32,767."""


def tiles_per_row(count: int, rows: int) -> int:
    """Return the smallest number of tiles per row at which the sheet is no higher than browsers can draw.

    Args:
        count: Number of tiles.
        rows: Height of a tile in pixels.
    """
    return math.ceil(count / max(1, _MAX_HEIGHT // rows))


def arrange_tiles(tiles: NDArray[np.uint8], across: int) -> NDArray[np.uint8]:
    """Arrange tiles `[N, rows, columns]` in a sheet, left to right, then down; unused tiles at the end are white."""
    count, rows, columns = tiles.shape
    lines = math.ceil(count / across)
    unused = np.full((lines * across - count, rows, columns), 255, np.uint8)
    whole = np.concatenate([tiles, unused]).reshape(lines, across, rows, columns)
    return whole.transpose(0, 2, 1, 3).reshape(lines * rows, across * columns)


def split_tiles(sheet: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Split a sheet into its tiles `[N, rows, columns]`, including unused ones at the end."""
    lines, across = sheet.shape[0] // rows, sheet.shape[1] // columns
    return sheet.reshape(lines, rows, across, columns).transpose(0, 2, 1, 3).reshape(-1, rows, columns)


def encode_png(levels: NDArray[np.uint8]) -> bytes:
    """Encode a grey picture as PNG."""
    return bytes(cv2.imencode(".png", levels)[1])
