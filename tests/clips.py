"""Clips drawn in code, for tests that need real pictures without a model."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from harness.clip import Clip


def moving_ball(frames: int = 9, height: int = 64, width: int = 96, *, fps: int = 8, seed: int = 0) -> Clip:
    """A ball that crosses a smooth textured background; seed chooses texture, colour and path."""
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 216, (height // 24 + 1, width // 24 + 1, 3), dtype=np.uint8)
    background = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    colour = tuple(int(value) for value in random.integers(0, 256, 3))
    row = int(random.integers(height // 4, 3 * height // 4))
    pictures = []
    for number in range(frames):
        picture = background.copy()
        column = round((number + 1) * width / (frames + 1))
        cv2.circle(picture, (column, row), height // 6, colour, -1, cv2.LINE_AA)
        pictures.append(picture)
    return Clip(np.stack(pictures), Fraction(fps))


def with_frames(clip: Clip, frames: np.ndarray) -> Clip:
    """The clip with other frames of any integer dtype, clipped to 0..255."""
    return Clip(np.clip(frames, 0, 255).astype(np.uint8), clip.fps)
