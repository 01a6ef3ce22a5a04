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
from harness.metrics.pixel import C1, C2, KERNEL, RADIUS

Floats = NDArray[np.float32]

_CELLS = 64
"""Cells along the longer side: fine enough to tell a hand from a bowl, and 49 tiles still make 100 kB."""


def ssim_map(reference: Frame, candidate: Frame) -> Floats:
    """Return SSIM about each pixel, the mean of the RGB channels, float32 `[H, W]`.

    A window has to lie inside the frame; the outermost five rows and columns repeat their neighbours.
    """
    centre = np.float32(reference.mean())
    x, y = (np.subtract(frame, centre, dtype=np.float32) for frame in (reference, candidate))
    mean_x, mean_y = _windowed(x), _windowed(y)
    variances = _windowed(x * x) + _windowed(y * y) - mean_x**2 - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    mean_x, mean_y = mean_x + centre, mean_y + centre
    brightness = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    structure = (2 * covariance + C2) / (variances + C2)
    inside = (brightness * structure).mean(axis=2, dtype=np.float32)
    whole = cv2.copyMakeBorder(inside, RADIUS, RADIUS, RADIUS, RADIUS, cv2.BORDER_REPLICATE)
    return np.asarray(whole, dtype=np.float32)


def cells_of(height: int, width: int) -> tuple[int, int]:
    """Return how many rows and columns of cells a frame's map is kept in; cells are squares, but for rounding."""
    side = max(1, math.ceil(max(height, width) / _CELLS))
    return math.ceil(height / side), math.ceil(width / side)


def tile(values: Floats) -> NDArray[np.uint8]:
    """Return a map as it is kept: the mean of each cell, level 255 for an SSIM of 1, level 0 for 0 and below."""
    rows, columns = cells_of(*values.shape)
    means = cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(np.rint(255 * np.clip(means, 0, 1)), dtype=np.uint8)


def write_map(pairs: Iterable[tuple[Frame, Frame]], path: Path) -> tuple[int, int]:
    """Write the maps of frame pairs as one grey PNG, a tile below the other; return a tile's rows and columns."""
    tiles = [tile(ssim_map(reference, candidate)) for reference, candidate in pairs]
    _, content = cv2.imencode(".png", np.concatenate(tiles))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.tobytes())
    rows, columns = tiles[0].shape
    return rows, columns


def _windowed(image: Floats) -> Floats:
    filtered = cv2.sepFilter2D(image, cv2.CV_32F, KERNEL, KERNEL)
    return np.asarray(filtered[RADIUS:-RADIUS, RADIUS:-RADIUS], dtype=np.float32)
