"""SSIM maps: where in the pictures two frames differ, averaged in cells that are coarse enough to store and to embed.

A map has the values that the metric averages (see `spacediff.metrics.pixel`), so its mean is the SSIM of the frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.codec.map_tiles import arrange_tiles, encode_png, tiles_per_row
from spacediff.metrics.pixel import RADIUS, prepare_ssim_map

Floats = NDArray[np.float32]

MapTile = NDArray[np.uint8]
"""The map of one pair of frames, uint8 `[rows, columns]`; see `cells_of`."""

_CELLS = 64
"""Cells along the longer side: fine enough to distinguish a hand from a bowl, and 49 tiles are only 100 kB."""


_ROUNDING = 1e-6
"""How much averaging may change an SSIM of 1."""


def cells_of(height: int, width: int) -> tuple[int, int]:
    """Return the number of rows and columns of cells in the map of a frame; cells are squares, up to rounding."""
    side = max(1, math.ceil(max(height, width) / _CELLS))
    return math.ceil(height / side), math.ceil(width / side)


def tile(values: Floats) -> MapTile:
    """Average a map in cells: level 255 is an SSIM of 1, level 0 is 0 or below; uint8 `[rows, columns]`.

    The map has no value for the outermost five rows and columns; they repeat the values of their neighbours.
    """
    whole = cv2.copyMakeBorder(values, RADIUS, RADIUS, RADIUS, RADIUS, cv2.BORDER_REPLICATE)
    rows, columns = cells_of(whole.shape[0], whole.shape[1])
    means = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    levels = np.asarray(np.rint(255 * np.clip(means, 0, 1)), dtype=np.uint8)
    return np.where(means < 1 - _ROUNDING, np.minimum(levels, 254), levels)


def prepare_tile(reference: Frame) -> Callable[[Frame], tuple[float, MapTile]]:
    """Prepare mean SSIM, as `prepare_ssim` measures it, and its tile as a function of the candidate frame.

    Raises:
        NotMeasuredError: The frame is smaller than the 11x11 window.
    """
    compare = prepare_ssim_map(reference)

    def compared(candidate: Frame) -> tuple[float, MapTile]:
        value, whole = compare(candidate)
        return value, tile(whole)

    return compared


def tile_of_equal_frames(frame: Frame) -> MapTile:
    """Return the tile of a frame and an equal one."""
    return np.full(cells_of(frame.shape[0], frame.shape[1]), 255, np.uint8)


def write_tiles(tiles: Sequence[MapTile], path: Path) -> tuple[int, int, int]:
    """Write the tiles of a pair of clips as one grey PNG.

    Returns:
        Rows and columns of a tile, and the number of tiles per row of the sheet.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = tiles[0].shape
    across = tiles_per_row(len(tiles), rows)
    path.write_bytes(encode_png(arrange_tiles(np.stack(tiles), across)))
    return rows, columns, across
