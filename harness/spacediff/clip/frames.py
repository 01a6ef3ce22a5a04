"""Clip: the frames of one video, or the pictures of one prompt, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from spacediff.errors import GenerationFailed

Frame = NDArray[np.uint8]
"""One picture, uint8 `[H, W, 3]`, RGB."""

Medium = Literal["video", "pictures"]
"""Whether the frames of a clip follow each other in time, or stand next to each other: one picture, or several."""

PICTURES_FPS = Fraction(1)
"""Frame rate of pictures, which have none; nothing shows it."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames in memory.

    Attributes:
        frames: uint8 `[T, H, W, 3]`, RGB.
        fps: Frames per second; `PICTURES_FPS` for pictures.
        medium: Whether these are the frames of a video, or pictures that stand next to each other.
    """

    frames: NDArray[np.uint8]
    fps: Fraction
    medium: Medium = "video"

    def __post_init__(self) -> None:
        if self.frames.dtype != np.uint8 or self.frames.ndim != 4 or self.frames.shape[-1] != 3:  # noqa: PLR2004 - [T, H, W, 3]
            raise ValueError(f"a clip needs uint8 [T, H, W, 3], not {self.frames.dtype} {self.frames.shape}")

    @classmethod
    def from_floats(
        cls, frames: NDArray[np.floating[Any]], fps: Fraction, *, rounding: str = "round", medium: Medium = "video"
    ) -> Self:
        """Convert a pipeline's float frames to bytes, with one frame in memory besides the clip.

        Args:
            frames: `[T, H, W, 3]`, RGB in 0..1.
            fps: Frames per second.
            rounding: `round`, as diffusers' PIL output does, or `truncate`, as `export_to_video` does with arrays.
            medium: Whether these are the frames of a video, or pictures.

        Raises:
            GenerationFailed: The frames contain NaN or infinity.
        """
        levels = np.empty(frames.shape, np.uint8)
        broken = 0
        for frame, level in zip(frames, levels, strict=True):  # one at a time: the floats of a clip may fill gigabytes
            broken += int(np.count_nonzero(~np.isfinite(frame)))
            if not broken:
                scaled = np.clip(frame, 0, 1) * np.float32(255)
                level[...] = np.rint(scaled) if rounding == "round" else scaled
        if broken:
            what = "pictures" if medium == "pictures" else "frames"
            raise GenerationFailed(
                f"the pipeline returned {what} with {broken / frames.size:.1%} NaN or infinite values",
                hint="half precision overflows on some checkpoints: try model.dtype = 'bfloat16' or 'float32'",
            )
        return cls(levels, fps, medium)

    @property
    def digest(self) -> str:
        """SHA-256 of shape and bytes: equal digests mean equal frames."""
        return frames_digest(self.frames)


def counted(medium: Medium) -> str:
    """Return what a clip has a number of: `frames` or `pictures`."""
    return "pictures" if medium == "pictures" else "frames"


def frames_digest(frames: Iterable[Frame]) -> str:
    """Compute the SHA-256 of a sequence of frames, with one frame in memory at a time."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(repr(frame.shape).encode())
        digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()
