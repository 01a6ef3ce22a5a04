"""What a clip of the tiny world shows, told from its pixels alone: which colours are there, and which way they move.

Independent of the model: a pixel counts for the named colour that lies nearest to it, shades included, among those of
objects and floors; so what the model paints in no named colour counts for nothing. Of a colour's pixels the largest
patch that hangs together is the thing. Shape and floor are not judged, nor things that nobody named.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spacediff.tiny.world import COLOURS, FLOORS, Scene

_SHADES = (0.8, 0.9, 1.0)  # of an object, from its lower edge to its upper
_LIGHTS = (0.85, 0.95, 1.05, 1.2)  # of a floor, from near to far
_FARTHEST = 45.0  # levels from the nearest shade, root of the summed squares over RGB; beyond it is no named colour
SMALLEST, LARGEST = 0.008, 0.35  # share of a frame that an object takes: 50 of 6,144 pixels; more is a floor
LEAST_WAY = 8.0  # pixels that count as a motion; the shortest way that is drawn has 28
TOUCHING = 32.0  # pixels between the centres of two that meet; those that are drawn have at most 24
_BEFORE = 3  # frames at least in which what appears is not to be seen yet


@dataclass(frozen=True)
class Track:
    """Where the largest patch of one colour is.

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
    mask = np.stack([_largest_patch(each) for each in mask])
    counts = mask.sum(axis=(1, 2))
    height, width = mask.shape[1:]
    with np.errstate(invalid="ignore"):
        x = (mask.sum(axis=1) @ (np.arange(width) + 0.5)) / counts
        y = (mask.sum(axis=2) @ (np.arange(height) + 0.5)) / counts
    return Track(counts / (height * width), x, y)


def _largest_patch(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest part of a mask `[H, W]` that hangs together by edges."""
    from skimage.measure import label

    labels = label(mask, connectivity=1)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0  # what is not in the mask
    largest: NDArray[np.bool_] = (labels == sizes.argmax()) & mask
    return largest


def _distance(frames: NDArray[np.uint8], colour: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return how far each pixel is from a colour, in levels, float32 `[T, H, W]`."""
    apart = frames.astype(np.float32) - colour.astype(np.float32)
    distance: NDArray[np.float32] = np.sqrt(np.einsum("thwc,thwc->thw", apart, apart))
    return distance


def colours_shown(frames: NDArray[np.uint8], scene: Scene) -> bool:
    """Return whether every named colour is there as an object: in half of the frames, in a third if it appears."""
    least = 1 / 3 if scene.motion == "appear" else 1 / 2
    return all(track(frames, thing.colour, scene.floor).seen.mean() >= least for thing in scene.things)


def motion_shown(frames: NDArray[np.uint8], scene: Scene) -> bool:
    """Return whether the things are there and do what the caption says.

    A direction is right when the way along it has at least `LEAST_WAY` pixels and outweighs the way across. Two that
    meet, from whichever sides, come nearer by as much and end no more than `TOUCHING` pixels apart. What appears is not
    to be seen in the first frames, is in the last third of them, and stays where it is.
    """
    if not colours_shown(frames, scene):
        return False
    tracks = [track(frames, thing.colour, scene.floor) for thing in scene.things]
    if scene.motion == "appear":
        return _appears(tracks[0])
    if scene.motion == "meet":
        return _meet(*tracks)
    right, down = tracks[0].way
    along = {"left": -right, "right": right, "up": -down, "down": down}[scene.motion]
    across = down if scene.motion in {"left", "right"} else right
    return along >= LEAST_WAY and along > abs(across)


def _appears(one: Track) -> bool:
    last = one.seen[-len(one.seen) // 3 :]
    return bool(not one.seen[:_BEFORE].any() and last.all() and np.hypot(*one.way) < LEAST_WAY)


def _meet(one: Track, other: Track) -> bool:
    both = np.flatnonzero(one.seen & other.seen)
    if len(both) < _BEFORE:
        return False
    gap = np.hypot(one.x - other.x, one.y - other.y)[both]
    return bool(gap[0] - gap[-1] >= LEAST_WAY and gap[-1] <= TOUCHING)
