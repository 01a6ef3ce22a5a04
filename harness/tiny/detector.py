"""What a clip of the tiny world shows, told from its pixels alone: which colours are there, and which way they move.

Independent of the model: a pixel counts for the named colour that lies nearest to it, shades included, among those of
objects and floors; so what the model paints in no named colour counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.tiny.world import COLOURS, FLOORS, Scene

_SHADES = (0.8, 0.9, 1.0)  # of an object, from its lower edge to its upper
_LIGHTS = (0.85, 0.95, 1.05, 1.2)  # of a floor, from near to far
_FARTHEST = 45.0  # levels from the nearest shade, root of the summed squares over RGB; beyond it is no named colour
SMALLEST, LARGEST = 0.008, 0.35  # share of a frame that an object takes: 50 of 6,144 pixels; more is a floor
LEAST_WAY = 8.0  # pixels that count as a motion; the shortest way that is drawn has 28


@dataclass(frozen=True)
class Track:
    """Where one colour is.

    Attributes:
        share: Of the pixels of each frame, `[T]`, 0 to 1.
        x: Centre in pixels from the left, `[T]`; NaN where the colour is not to be seen.
        y: Centre in pixels from the top.
    """

    share: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Whether the colour is there as an object, `[T]`."""
        return (self.share >= SMALLEST) & (self.share <= LARGEST)

    @property
    def way(self) -> tuple[float, float]:
        """Pixels that it moves to the right and down, from the first third of its frames to the last."""
        frames = np.flatnonzero(self.seen)
        third = max(len(frames) // 3, 1)
        first, last = frames[:third], frames[-third:]
        if not len(frames):
            return 0.0, 0.0
        return float(self.x[last].mean() - self.x[first].mean()), float(self.y[last].mean() - self.y[first].mean())


def track(frames: NDArray[np.uint8], colour: str, floor: str | None) -> Track:
    """Follow a colour through a clip.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        colour: One of `COLOURS`.
        floor: One of `FLOORS`; what lies nearer to it is not counted. None where it is not known.
    """
    anchors = [(name, np.multiply(COLOURS[name], shade)) for name in COLOURS for shade in _SHADES]
    anchors += [("", np.multiply(FLOORS[floor], light)) for light in _LIGHTS if floor]
    distances = np.stack([_distance(frames, value) for _, value in anchors])
    wanted = np.array([name == colour for name, _ in anchors])
    mask = wanted[distances.argmin(axis=0)] & (distances.min(axis=0) <= _FARTHEST)
    counts = mask.sum(axis=(1, 2))
    height, width = mask.shape[1:]
    with np.errstate(invalid="ignore"):
        x = (mask.sum(axis=1) @ (np.arange(width) + 0.5)) / counts
        y = (mask.sum(axis=2) @ (np.arange(height) + 0.5)) / counts
    return Track(counts / (height * width), x, y)


def _distance(frames: NDArray[np.uint8], colour: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return how far each pixel is from a colour, in levels, float32 `[T, H, W]`."""
    apart = frames.astype(np.float32) - colour.astype(np.float32)
    distance: NDArray[np.float32] = np.sqrt(np.einsum("thwc,thwc->thw", apart, apart))
    return distance


def colours_shown(frames: NDArray[np.uint8], scene: Scene) -> bool:
    """Return whether every named colour is there as an object, in at least a third of the frames."""
    return all(track(frames, thing.colour, scene.floor).seen.mean() >= 1 / 3 for thing in scene.things)


def motion_shown(frames: NDArray[np.uint8], scene: Scene) -> bool:
    """Return whether the things do what the caption says.

    A direction is right when the way along it has at least `LEAST_WAY` pixels and outweighs the way across. Two that
    meet approach each other by as much; what appears is not to be seen in the first frame, and is in the last.
    """
    tracks = [track(frames, thing.colour, scene.floor) for thing in scene.things]
    if not all(one.seen.any() for one in tracks):
        return False
    right, down = tracks[0].way
    if scene.motion == "appear":
        return bool(tracks[0].share[0] < SMALLEST and tracks[0].seen[-1])
    if scene.motion == "meet":
        return right - tracks[1].way[0] >= LEAST_WAY
    along = {"left": -right, "right": right, "up": -down, "down": down}[scene.motion]
    across = down if scene.motion in {"left", "right"} else right
    return along >= LEAST_WAY and along > abs(across)
