"""How small a contrast a tile shows through a codec's noise: `python -m benchmarks.worst_tiles`.

Scenes are encoded by export_to_video, and the codec's own loss in the worst tile is measured with tiles of several
sizes and by two errors. Then an object of 32x32 pixels is planted at random places, with growing contrast, until its
worst tile exceeds that loss. The less contrast it takes, the better the measure separates a lost object from noise.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from statistics import mean, median

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from benchmarks.drawn_clips import clips
from spacediff.clip import Clip, Frame, read_frames
from spacediff.codec import export_to_video

HEIGHT, WIDTH, FRAMES = 480, 720, 9
SIDES, QUALITIES = (8, 16, 32), (5, 8)
CONTRASTS = (4, 8, 12, 16, 20, 24, 32, 40, 50, 60, 80, 100, 130)
_OBJECT, _TRIALS = 32, 12

Errors = dict[tuple[str, int], float]
"""Name of the error and side of the tile to the error of the worst tile, in levels."""


def main() -> None:
    """Measure and print the table."""
    found: dict[tuple[str, int], list[float]] = {}
    for name, frames in scenes():
        for quality in QUALITIES:
            loss, least = least_contrasts(frames, quality)
            for key, contrast in least.items():
                found.setdefault(key, []).append(contrast)
            print(f"{name} at quality {quality}: the codec's worst tiles", _written(loss))
    print(
        "least contrast in levels at which an object is seen:", _written({key: mean(of) for key, of in found.items()})
    )


def scenes() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield pans over photographs and a drawn clip, uint8 `[T, H, W, 3]`."""
    for name in ("chelsea", "astronaut", "coffee", "rocket", "hubble_deep_field"):
        yield name, _pan(getattr(skimage.data, name)())
    yield "drawn", next(iter(clips(FRAMES, 0)))


def _pan(picture: Frame) -> NDArray[np.uint8]:
    scale = max((HEIGHT + 2 * FRAMES) / picture.shape[0], (WIDTH + 6 * FRAMES) / picture.shape[1])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    large = cv2.resize(picture[..., :3], None, fx=scale, fy=scale, interpolation=how)
    return np.stack([large[2 * t : 2 * t + HEIGHT, 6 * t : 6 * t + WIDTH] for t in range(FRAMES)])


def least_contrasts(frames: NDArray[np.uint8], quality: float) -> tuple[Errors, Errors]:
    """Return the codec's own loss, and the median contrast at which a planted object exceeds it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoded.mp4"
        export_to_video(Clip(frames, Fraction(8)), path, quality=quality)
        each = [worst(one, other) for one, other in zip(frames, read_frames(path), strict=True)]
    loss = {key: max(errors[key] for errors in each) for key in each[0]}
    random = np.random.default_rng(0)
    trials = [_seen_from(frames[random.integers(FRAMES)], loss, random) for _ in range(_TRIALS)]
    return loss, {key: median(trial[key] for trial in trials) for key in loss}


def _seen_from(frame: Frame, loss: Errors, random: np.random.Generator) -> Errors:
    y, x = random.integers(0, HEIGHT - _OBJECT), random.integers(0, WIDTH - _OBJECT)
    colour = random.normal(size=3)
    colour /= np.abs(colour).mean()
    disc = cv2.circle(np.zeros((_OBJECT, _OBJECT), np.float32), (_OBJECT // 2,) * 2, _OBJECT // 2 - 1, 1.0, -1)
    seen = dict.fromkeys(loss, math.inf)
    for contrast in CONTRASTS:
        changed = frame.astype(np.float32)
        changed[y : y + _OBJECT, x : x + _OBJECT] += contrast * disc[..., None] * colour.astype(np.float32)
        around = np.s_[max(y - _OBJECT, 0) : y + 2 * _OBJECT, max(x - _OBJECT, 0) : x + 2 * _OBJECT]
        errors = worst(frame[around], np.clip(np.rint(changed), 0, 255).astype(np.uint8)[around])
        seen = {key: min(seen[key], contrast) if errors[key] > loss[key] else seen[key] for key in loss}
        if max(seen.values()) < math.inf:
            break
    return seen


def worst(one: Frame, other: Frame) -> Errors:
    """Return the errors of the worst tile of two frames, of all positions."""
    difference = one.astype(np.float32) - other
    return {
        **{("mean absolute", side): _largest(np.abs(difference), side) for side in SIDES},
        **{("root mean squared", side): math.sqrt(_largest(np.square(difference), side)) for side in SIDES},
    }


def _largest(values: NDArray[np.float32], side: int) -> float:
    means = cv2.boxFilter(values, cv2.CV_32F, (side, side), anchor=(0, 0)).mean(axis=2)
    return float(means[: len(means) - side + 1, : means.shape[1] - side + 1].max())


def _written(errors: Errors) -> str:
    return ", ".join(f"{error} {side}x{side}: {value:.1f}" for (error, side), value in errors.items())


if __name__ == "__main__":
    main()
