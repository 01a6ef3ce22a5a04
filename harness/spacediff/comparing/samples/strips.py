"""What a reader sees of a group: its clips next to each other, in one small picture."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.files import make_folder, write_atomically

_WIDTH = 120
"""Pixels of a clip in the strip."""
_TALLEST = 240
"""Pixels of a frame; a taller one is narrower."""
_MOST = 16
"""Clips of a strip; the first ones are shown."""
_GAP = 2


def column(frames: Iterable[Frame]) -> NDArray[np.uint8]:
    """Put some frames of a clip below each other, small: uint8 `[H, W, 3]`."""
    return np.concatenate([_small(frame) for frame in frames])


def _small(frame: Frame) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    scale = min(_WIDTH / width, _TALLEST / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small: NDArray[np.uint8] = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small


def write_strip(columns: Sequence[NDArray[np.uint8]], folder: Path, place: str) -> str:
    """Write the clips of a group as one PNG.

    Args:
        columns: What to show of each clip, uint8 `[H, W, 3]`.
        folder: The audit folder.
        place: The file, relative to it.

    Returns:
        The place.
    """
    import PIL.Image

    shown = columns[:_MOST]
    height = max(each.shape[0] for each in shown)
    padded = [np.pad(each, ((0, height - each.shape[0]), (0, _GAP), (0, 0)), constant_values=255) for each in shown]
    written = io.BytesIO()
    PIL.Image.fromarray(np.concatenate(padded, axis=1)).save(written, "PNG", optimize=True)
    make_folder((folder / place).parent)
    write_atomically(folder / place, written.getvalue())
    return place
