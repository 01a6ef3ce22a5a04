"""Detects what a clip of the tiny world shows from its pixels alone: which colours are visible, and how they move.

The detector is independent of the model. A pixel belongs to the closest named colour, including its shades, of objects
and floors; pixels that are close to none do not count. The largest connected patch of a colour is the object. Shapes,
floors and objects that the caption does not name are not judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spacediff.tiny.world import COLOURS, FLOORS, Scene

_SHADES = (0.8, 0.9, 1.0)  # of an object, from its lower edge to its upper edge
_LIGHTS = (0.85, 0.95, 1.05, 1.2)  # of a floor, from near to far
_MAX_DISTANCE = 45.0  # Euclidean distance in RGB levels to the closest shade; farther pixels have no named colour
MIN_SHARE, MAX_SHARE = 0.008, 0.35  # share of a frame that an object covers: 50 of 6,144 pixels; more is a floor
MIN_WAY = 8.0  # pixels that count as a motion; the shortest one in the training data has 28
MEETING_DISTANCE = 32.0  # pixels between the centres of two objects that meet; at most 24 in the training data
_HIDDEN_FRAMES = 3  # smallest number of frames before an object appears


@dataclass(frozen=True)
class Track:
    """The position of the largest patch of one colour.

    Attributes:
        share: Share of the pixels of each frame, `[T]`, 0 to 1.
        x: Centre in pixels from the left, `[T]`; NaN if the colour is not visible.
        y: Centre in pixels from the top, `[T]`; NaN if the colour is not visible.
    """

    share: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Whether the colour is visible as an object, `[T]`."""
        return (self.share >= MIN_SHARE) & (self.share <= MAX_SHARE)

    @property
    def way(self) -> tuple[float, float]:
        """Displacement to the right and down in pixels, from the first third of its frames to the last third."""
        frames = np.flatnonzero(self.seen)
        third = max(len(frames) // 3, 1)
        first, last = frames[:third], frames[-third:]
        if not len(frames):
            return 0.0, 0.0
        return float(self.x[last].mean() - self.x[first].mean()), float(self.y[last].mean() - self.y[first].mean())


def track(frames: NDArray[np.uint8], colour: str, floor: str | None) -> Track:
    """Track a colour through a clip.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        colour: One of `COLOURS`.
        floor: One of `FLOORS`; pixels closer to it are not counted. None if it is unknown.
    """
    anchors = [(name, np.multiply(COLOURS[name], shade)) for name in COLOURS for shade in _SHADES]
    anchors += [("", np.multiply(FLOORS[floor], light)) for light in _LIGHTS if floor]
    distances = np.stack([_distance(frames, value) for _, value in anchors])
    is_colour = np.array([name == colour for name, _ in anchors])
    mask = is_colour[distances.argmin(axis=0)] & (distances.min(axis=0) <= _MAX_DISTANCE)
    mask = np.stack([_largest_patch(each) for each in mask])
    counts = mask.sum(axis=(1, 2))
    height, width = mask.shape[1:]
    with np.errstate(invalid="ignore"):
        x = (mask.sum(axis=1) @ (np.arange(width) + 0.5)) / counts
        y = (mask.sum(axis=2) @ (np.arange(height) + 0.5)) / counts
    return Track(counts / (height * width), x, y)


def _largest_patch(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest edge-connected component of a mask `[H, W]`."""
    from skimage.measure import label

    labels = label(mask, connectivity=1)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0  # the background
    largest: NDArray[np.bool_] = (labels == sizes.argmax()) & mask
    return largest


def _distance(frames: NDArray[np.uint8], colour: NDArray[np.float64]) -> NDArray[np.float32]:
    """Compute the Euclidean distance of each pixel to a colour, in levels, float32 `[T, H, W]`."""
    difference = frames.astype(np.float32) - colour.astype(np.float32)
    distance: NDArray[np.float32] = np.sqrt(np.einsum("thwc,thwc->thw", difference, difference))
    return distance


def colours_shown(frames: NDArray[np.uint8], scene: Scene) -> bool:
    """Whether every named colour is visible as an object: in half of the frames; in a third if it appears."""
    least = 1 / 3 if scene.motion == "appear" else 1 / 2
    return all(track(frames, thing.colour, scene.floor).seen.mean() >= least for thing in scene.things)


def motion_shown(frames: NDArray[np.uint8], scene: Scene) -> bool:
    """Whether the objects are visible and do what the caption says.

    A direction is right if the displacement along it is at least `MIN_WAY` pixels and larger than the one across. Two
    objects that meet, from any side, come closer by at least as much and end at most `MEETING_DISTANCE` pixels apart.
    An object that appears is not visible in the first frames, is visible in the last third of them, and does not move.
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
    return along >= MIN_WAY and along > abs(across)


def _appears(one: Track) -> bool:
    last = one.seen[-len(one.seen) // 3 :]
    return bool(not one.seen[:_HIDDEN_FRAMES].any() and last.all() and np.hypot(*one.way) < MIN_WAY)


def _meet(one: Track, other: Track) -> bool:
    both = np.flatnonzero(one.seen & other.seen)
    if len(both) < _HIDDEN_FRAMES:
        return False
    gap = np.hypot(one.x - other.x, one.y - other.y)[both]
    return bool(gap[0] - gap[-1] >= MIN_WAY and gap[-1] <= MEETING_DISTANCE)
