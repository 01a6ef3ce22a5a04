"""A hand over a lemon, drawn with numpy.

Every clip can carry its own frame number as eight black or white blocks along the top edge; a test that reads the
blocks back from a screen knows which frame is shown.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CODE_BLOCKS = 8


def draw_scene(
    frames: int, size: tuple[int, int], *, hand: bool, tint: float = 0.0, turn: float = 0.0, grain: float = 0.0
) -> NDArray[np.uint8]:
    """Draw half a lemon over a bowl, with or without the hand that squeezes it; uint8 `[T, H, W, 3]`."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width]
    x, y = (x - width / 2) / height, y / height - 0.5
    noise = np.random.default_rng(7)
    shape = (height, width, 3)
    return np.stack(
        [
            _draw_frame(x, y, time, grain * noise.standard_normal(shape), hand=hand, tint=tint, turn=turn)
            for time in np.linspace(0, 1, frames)
        ]
    )


def _draw_frame(
    x: Floats, y: Floats, time: float, grain: Floats, *, hand: bool, tint: float, turn: float
) -> NDArray[np.uint8]:
    picture = np.empty((*x.shape, 3))
    picture[:] = np.array([0.20 + tint, 0.25, 0.27 - tint / 2]) + 0.16 * (0.5 - y)[..., None]
    picture += 0.10 * np.exp(-((x + 0.35) ** 2 + (y + 0.35) ** 2) * 6)[..., None]
    _lay(picture, (0.36, 0.29, 0.22), y - 0.30, 1.0)
    squeeze = 0.5 + 0.5 * math.sin(2 * math.pi * (time * 1.5 + turn))
    sway = 0.05 * math.sin(2 * math.pi * (time + turn))
    _lay(picture, (0.62, 0.72, 0.74), 0.30 - np.hypot(x, (y - 0.16) * 1.25), 0.45)
    _lay(picture, (0.85, 0.91, 0.90), 0.012 - np.abs(np.hypot(x, (y - 0.16) * 1.25) - 0.30), 0.8, y > 0.10)
    _lay(picture, (0.93, 0.86, 0.45), 0.24 - np.hypot(x, (y - 0.22) * 1.7), 0.25 + 0.5 * time, y > 0.24)
    across, along = x - sway, y + 0.14
    lemon = np.hypot(across / (1.05 - 0.16 * squeeze), along / (0.82 + 0.08 * squeeze))
    _lay(picture, (0.86, 0.68, 0.05), 0.205 - lemon, 1.0)
    _lay(picture, (0.98, 0.86, 0.24), 0.185 - lemon, 1.0)
    spokes = np.abs(np.sin(5 * np.arctan2(along, across) + 3 * turn))
    _lay(picture, (0.99, 0.95, 0.62), 0.155 - lemon, np.where(spokes > 0.35, 0.8, 0.35))
    for drop in range(3):
        fall = (time * 3 + drop / 3 + turn) % 1
        _lay(picture, (0.98, 0.93, 0.60), 0.018 - np.hypot(x - sway, (y - 0.05 - 0.22 * fall) / 1.5), 0.9)
    if hand:
        _draw_hand(picture, x - sway, y, squeeze)
    picture += grain
    return np.asarray(np.clip(np.rint(picture * 255), 0, 255), dtype=np.uint8)


def _draw_hand(picture: Floats, x: Floats, y: Floats, squeeze: float) -> None:
    skin, shade = (0.87, 0.66, 0.54), (0.70, 0.49, 0.39)
    _lay(picture, skin, 0.15 - np.hypot(x * 0.85, y + 0.36), 1.0)
    _lay(picture, skin, np.minimum(0.10 - np.abs(x + 0.05), -(y + 0.36)), 1.0)
    for finger in range(4):
        centre = -0.20 + 0.115 * finger + 0.02 * squeeze * (1.5 - finger)
        reach = -0.15 - 0.03 * abs(finger - 1.5) + 0.02 * squeeze
        capsule = np.hypot(x - centre, np.maximum(0, np.maximum(-0.34 - y, y - reach)))
        _lay(picture, shade, 0.056 - capsule, 1.0)
        _lay(picture, skin, 0.048 - capsule, 1.0)


def _lay(
    picture: Floats,
    colour: tuple[float, float, float],
    inside: Floats,
    opacity: Floats | float,
    where: NDArray[np.bool_] | None = None,
) -> None:
    """Lay a colour where a signed distance is positive, with soft edges."""
    cover = np.clip(inside * picture.shape[0] / 1.5 + 0.5, 0, 1) * opacity
    if where is not None:
        cover = cover * where
    picture += cover[..., None] * (np.array(colour) - picture)


def with_codes(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Write each frame's number into it: eight blocks along the top, black or white, lowest bit first."""
    coded = frames.copy()
    edge = frames.shape[2] // CODE_BLOCKS
    for number in range(len(coded)):
        for bit in range(CODE_BLOCKS):
            coded[number, :edge, bit * edge : (bit + 1) * edge] = 255 if number >> bit & 1 else 0
    return coded


def pictures(frames: int, size: tuple[int, int]) -> dict[str, NDArray[np.uint8]]:
    """Draw all clips of the story; on-gpu equals the baseline, as-hosted nearly equals the reference."""
    reference = draw_scene(frames, size, hand=True)
    as_hosted = draw_scene(frames, size, hand=True, grain=0.006)
    as_hosted[: frames // 4] = reference[: frames // 4]
    baseline = draw_scene(frames, size, hand=False, tint=0.10, turn=0.35)
    return {
        "reference": reference,
        "baseline": baseline,
        "as-hosted": as_hosted,
        "cpu-noise": draw_scene(frames, size, hand=True, tint=0.05, turn=0.03),
        "dpm": draw_scene(frames, size, hand=False, tint=0.02, turn=0.25),
        "dynamic-cfg": draw_scene(frames, size, hand=False, tint=0.14, turn=0.30),
        "on-gpu": baseline,
        "seed-43": draw_scene(frames, size, hand=False, tint=-0.08, turn=0.62),
    }
