"""Draw the clips to score: `benchmarks.drawn_clips FOLDER FRAMES VARIANTS` writes reference.mp4 and variant-N.mp4.

A camera pans over a landscape with detail at every scale, as in photographs, while a ball crosses it, with a little
sensor noise. A variant moves slightly differently and has different noise. The clips are encoded by export_to_video.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Clip, Frame
from spacediff.codec import export_to_video

HEIGHT, WIDTH = 480, 720
_MARGIN = 160


def main() -> None:
    """Write the clips."""
    folder, frames, variants = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    for number, pictures in enumerate(clips(frames, variants)):
        name = f"variant-{number}.mp4" if number else "reference.mp4"
        export_to_video(Clip(pictures, Fraction(8)), folder / name, quality=5)


def clips(frames: int, variants: int) -> Iterator[Frame]:
    """Yield the frames of the reference and then of each variant, uint8 `[T, H, W, 3]`."""
    landscape = _landscape(np.random.default_rng(0))
    for number in range(variants + 1):
        yield np.stack([_picture(landscape, moment, number) for moment in range(frames)])


def _landscape(random: np.random.Generator) -> NDArray[np.float32]:
    """Draw a picture larger than a frame: octaves of noise whose amplitude decreases with their frequency."""
    size = (WIDTH + 2 * _MARGIN, HEIGHT + 2 * _MARGIN)
    levels = np.full((size[1], size[0], 3), 128, np.float32)
    for octave in range(1, 9):
        coarse = random.normal(0, 40 * 0.65**octave, (2**octave + 1, 2**octave + 2, 3)).astype(np.float32)
        levels += cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return levels


def _picture(landscape: NDArray[np.float32], moment: int, variant: int) -> Frame:
    phase = moment / 17 + 0.03 * variant
    right, down = _MARGIN + 120 * np.sin(phase), _MARGIN + 60 * np.cos(0.7 * phase)
    pan = np.array([[1, 0, -right], [0, 1, -down]])
    levels = cv2.warpAffine(landscape, pan, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    centre = (round(WIDTH * (0.15 + 0.014 * moment)) + 3 * variant, HEIGHT // 2)
    cv2.circle(levels, centre, 60, (220, 60, 30), -1, cv2.LINE_AA)
    levels += np.random.default_rng((variant, moment)).normal(0, 2, levels.shape)
    return np.asarray(levels).clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
