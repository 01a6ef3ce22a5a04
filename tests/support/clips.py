"""Clips drawn in code, for tests that need real pictures without a model."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Clip

Frames = NDArray[np.uint8]


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


def resized(frames: Frames, width: int, height: int, how: int = cv2.INTER_CUBIC) -> Frames:
    return np.stack([cv2.resize(frame, (width, height), interpolation=how) for frame in frames])


def moved(frames: Frames, dx: float, dy: float) -> Frames:
    height, width = frames.shape[1:3]
    by = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return np.stack(
        [
            cv2.warpAffine(frame, by, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            for frame in frames
        ]
    )


def interpolated(frames: Frames, times: int) -> Frames:
    """Blend between neighbours: T frames become times * (T - 1) + 1."""
    blended = [
        np.rint(here * (1 - part / times) + there * (part / times)).astype(np.uint8)
        for here, there in zip(frames.astype(float), frames[1:].astype(float), strict=False)
        for part in range(times)
    ]
    return np.stack([*blended, frames[-1]])
