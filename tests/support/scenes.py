"""Textured moving scenes, encoded or not, and how well an alignment brings two of them together."""

from __future__ import annotations

from pathlib import Path

import cv2
import imageio.v2 as imageio
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import read_clip
from spacediff.metrics.alignment import Alignment, FrameSource, align
from support.clips import Frames, moving_ball


def scene(seed: int = 0, frames: int = 16, height: int = 64, width: int = 96) -> Frames:
    """A textured disc that crosses a textured background, which drifts slowly in the opposite direction."""
    random = np.random.default_rng(seed)
    ground = _texture(random, height + 40, width + 40)
    disc = _texture(random, height, width)
    angle = random.uniform(0, 2 * np.pi)
    pictures = []
    for number in range(frames):
        drift = np.array([np.cos(angle), np.sin(angle)]) * number * 0.6 - 20
        move = np.array([[1, 0, drift[0]], [0, 1, drift[1]]], np.float32)
        picture = cv2.warpAffine(ground, move, (width, height), flags=cv2.INTER_CUBIC)
        mask = np.zeros((height, width), np.float32)
        cv2.circle(mask, (round(width * (0.2 + 0.6 * number / 16)), height // 2), height // 6, 1.0, -1, cv2.LINE_AA)
        picture = picture * (1 - mask[..., None]) + disc * mask[..., None]
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return np.stack(pictures)


def _texture(random: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    total = np.zeros((height, width, 3), np.float32)
    for cell in (4, 9, 25):
        coarse = random.normal(0, 1, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * cell**0.5
    scaled: NDArray[np.float32] = np.asarray(total / total.std() * 45 + 120, np.float32)
    return scaled


def smooth(seed: int, frames: int = 16) -> Frames:
    """A soft shade with little texture and slowly changing brightness."""
    random = np.random.default_rng(seed)
    shade = cv2.GaussianBlur(random.normal(0, 1, (64, 96)).astype(np.float32), (0, 0), 20)
    levels = 120 + random.normal(0, 2, frames).cumsum()
    pictures = shade / shade.std() * 4 + levels[:, None, None]
    return np.repeat(np.clip(pictures, 0, 255).astype(np.uint8)[..., None], 3, axis=3)


def still(seed: int, frames: int = 16) -> Frames:
    return np.repeat(scene(seed, 1), frames, axis=0)


def ball(seed: int, frames: int = 16) -> Frames:
    return moving_ball(frames, seed=seed).frames


def source(frames: Frames, fps: float | None = None) -> FrameSource:
    return FrameSource(lambda: frames, fps)


def aligned(reference: Frames, candidate: Frames) -> Alignment:
    return align(source(reference), source(candidate))


def error(alignment: Alignment, reference: Frames, candidate: Frames) -> float:
    """Mean absolute difference of the compared frames, in levels."""
    pairs = zip(alignment.of_reference(reference), alignment.of_candidate(candidate), strict=True)
    return float(np.mean([np.abs(ours.astype(int) - theirs).mean() for ours, theirs in pairs]))


def encoded(frames: Frames, folder: Path) -> Frames:
    """Encode frames as H.264 like `diffusers.utils.export_to_video`, and decode them."""
    path = folder / f"{len(list(folder.iterdir()))}.mp4"
    imageio.mimwrite(path, list(frames), fps=8, quality=5)
    return read_clip(path).frames


def by_number(frames: int) -> tuple[tuple[int, int], ...]:
    return tuple((number, number) for number in range(frames))


SAME = scene()
