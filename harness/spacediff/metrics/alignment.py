"""Alignment: which frames and which pixels of two clips show the same thing, found in the pictures and always stated.

The key insight: a mapping is believed only where the data can tell it from its neighbours (off by one frame, off by
one pixel), so that clips which merely differ are never bent onto each other. What is not believed is compared as it
is, by number, and the notes say so; what cannot be compared at all says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Clip, Frame, probe, read_frames
from spacediff.errors import NotComparable
from spacediff.metrics.alignment_notes import place_notes, rate_notes, timing_notes
from spacediff.metrics.alignment_space import (
    Box,
    Couple,
    Geometry,
    Grey,
    Place,
    find_place,
    fit,
    geometries,
    grey,
    without_bars,
)
from spacediff.metrics.alignment_time import Pairs, Thumbnails, Timing, match_moments

_THUMBNAIL = (48, 32)  # pixels; 6 KiB a frame
_KEPT = 8  # full-size grey pictures of a clip, spread evenly, whatever its length
_PROBES = 4  # pairs of pictures that are looked at in full size


class FrameSource:
    """A clip that can be read more than once; the first look at it is remembered.

    Args:
        read: Opens the frames anew, each uint8 `[H, W, 3]`.
        fps: Frames per second, where known.
    """

    def __init__(self, read: Callable[[], Iterable[Frame]], fps: float | None = None) -> None:
        self.read = read
        self.fps = fps

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Read a video file, by the one definition of decoding."""
        return cls(lambda: read_frames(path), float(probe(path).fps))

    @classmethod
    def of_clip(cls, clip: Clip) -> Self:
        """Read frames in memory."""
        return cls(lambda: clip.frames, float(clip.fps))

    @cached_property
    def look(self) -> _Look:
        """What one pass over the frames told."""
        return _look(self.read())

    def thumbnails(self, box: Box) -> Thumbnails:
        """Return a small picture of a region in every frame, float32 `[T, pixels]`."""
        if box == self.look.whole:
            return self.look.thumbnails
        return np.stack([_thumbnail(box.of(grey(frame))) for frame in self.read()])

    def pictures(self, numbers: Sequence[int]) -> dict[int, Grey]:
        """Return the luma of some frames in full size."""
        kept = self.look.kept
        if not set(numbers) <= kept.keys():
            wanted = set(numbers)
            frames = enumerate(islice(self.read(), max(wanted) + 1))
            kept = {number: grey(frame) for number, frame in frames if number in wanted}
        return {number: kept[number] for number in numbers}


@dataclass(frozen=True)
class _Look:
    frames: int
    whole: Box
    inside: Box
    thumbnails: Thumbnails
    kept: dict[int, Grey]


def _look(frames: Iterable[Frame]) -> _Look:
    thumbnails: list[NDArray[np.float32]] = []
    kept: dict[int, Grey] = {}
    low = high = None
    spacing = 1
    for number, frame in enumerate(frames):
        picture = grey(frame)
        low = picture if low is None else cv2.min(low, picture)
        high = picture if high is None else cv2.max(high, picture)
        thumbnails.append(_thumbnail(picture))
        if number % spacing == 0:
            kept[number] = picture
        if len(kept) > _KEPT:
            spacing *= 2
            kept = {n: old for n, old in kept.items() if n % spacing == 0}
    if low is None or high is None:
        raise NotComparable("the clip holds no frame")
    height, width = low.shape
    return _Look(len(thumbnails), Box(0, 0, width, height), without_bars(low, high), np.stack(thumbnails), kept)


def _thumbnail(picture: Grey) -> NDArray[np.float32]:
    """Return a small picture, freed of its mean: a change of brightness is no motion."""
    small: NDArray[np.float32] = cv2.resize(picture.astype(np.float32), _THUMBNAIL, interpolation=cv2.INTER_AREA)
    freed: NDArray[np.float32] = np.ravel(small - small.mean())
    return freed


@dataclass(frozen=True)
class Alignment:
    """How one clip maps to another.

    Attributes:
        frame_map: Pairs of frame numbers to compare, reference and candidate, strictly increasing in both.
        geometry: What of the pictures is used, and how it is scaled.
        shift: Whole pixels by which the candidate's picture lies right of and below the reference's, after scaling.
        trivial: Whether all frames of both are compared by number, whole, at one size, in place.
        notes: A plain sentence for each step that is not trivial.
        moments_known: Whether the counts agree, or the pictures tell which frames belong together.
        place_known: Whether the sizes agree, or the pictures confirm how one lies on the other.
    """

    frame_map: tuple[tuple[int, int], ...]
    geometry: Geometry
    shift: tuple[int, int]
    trivial: bool
    notes: tuple[str, ...]
    moments_known: bool
    place_known: bool

    @property
    def scale(self) -> tuple[float, float]:
        """Size of the candidate's picture to the reference's, x and y."""
        return self.geometry.scale

    @property
    def crop(self) -> Box:
        """The region of the reference, in its own pixels, that both show."""
        return _in_own_pixels(self._windows[0], self.geometry.reference_box, self.geometry.reference_size)

    def of_reference(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield the reference's frames that are compared, scaled and cut, one in memory at a time."""
        return self._aligned(frames, 0)

    def of_candidate(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield the candidate's frames that are compared, each of the size of its partner."""
        return self._aligned(frames, 1)

    @property
    def _windows(self) -> tuple[Box, Box]:
        return _windows(self.geometry, self.shift)

    def _aligned(self, frames: Iterable[Frame], side: int) -> Iterator[Frame]:
        box = (self.geometry.reference_box, self.geometry.candidate_box)[side]
        size = (self.geometry.reference_size, self.geometry.candidate_size)[side]
        wanted = [pair[side] for pair in self.frame_map]
        stream = enumerate(frames)
        for number in wanted:
            frame = next((frame for n, frame in stream if n == number), None)
            if frame is None:
                return
            yield np.ascontiguousarray(self._windows[side].of(fit(frame, box, size)))


@dataclass(frozen=True)
class _Found:
    geometry: Geometry
    timing: Timing
    place: Place


def align(reference: FrameSource, candidate: FrameSource) -> Alignment:
    """Find which frames and pixels of two clips show the same thing.

    Raises:
        NotMeasuredError: The pictures differ in shape, and no region is shown by both.
    """
    ours, theirs = reference.look, candidate.look
    fallback = None
    for geometry in geometries(ours.whole, theirs.whole, ours.inside, theirs.inside):
        found = _explained(reference, candidate, geometry)
        if found.place.confirmed:
            return _alignment(reference, candidate, found)
        if geometry.natural:
            fallback = found
    if fallback is not None:
        return _alignment(reference, candidate, fallback)
    raise NotComparable(
        f"the reference is {ours.whole.width}x{ours.whole.height} pixels, this clip {theirs.whole.width}x"
        f"{theirs.whole.height}, and no region is shown by both: whole, scaled, cropped or without bars, the pictures "
        "do not fall on each other to the pixel"
    )


def _explained(reference: FrameSource, candidate: FrameSource, geometry: Geometry) -> _Found:
    """Look for moments and place under one geometry; a place once found lets the moments be seen better."""
    boxes = geometry.reference_box, geometry.candidate_box
    timing = match_moments(reference.thumbnails(boxes[0]), candidate.thumbnails(boxes[1]))
    place = find_place(_couples(reference, candidate, geometry, timing.pairs), cropped=geometry.cropped)
    if not place.confirmed or not (geometry.cropped or place.shift != (0, 0)):
        return _Found(geometry, timing, place)
    left, right = _windows(geometry, place.shift)
    better = match_moments(
        reference.thumbnails(_in_own_pixels(left, boxes[0], geometry.reference_size)),
        candidate.thumbnails(_in_own_pixels(right, boxes[1], geometry.candidate_size)),
    )
    if not np.array_equal(better.pairs, timing.pairs):
        place = find_place(_couples(reference, candidate, geometry, better.pairs), cropped=geometry.cropped)
    return _Found(geometry, better, place)


def _couples(reference: FrameSource, candidate: FrameSource, geometry: Geometry, pairs: Pairs) -> list[Couple]:
    """Return some pairs of pictures, spread over the clips, of frames that were kept where there are enough."""
    kept = np.isin(pairs[:, 0], [*reference.look.kept]) & np.isin(pairs[:, 1], [*candidate.look.kept])
    rows = pairs[kept] if kept.sum() >= min(_PROBES, len(pairs)) else pairs
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, _PROBES).round().astype(int))]
    left, right = reference.pictures(chosen[:, 0].tolist()), candidate.pictures(chosen[:, 1].tolist())
    return [
        (
            fit(left[ours], geometry.reference_box, geometry.reference_size),
            fit(right[theirs], geometry.candidate_box, geometry.candidate_size),
        )
        for ours, theirs in chosen.tolist()
    ]


def _windows(geometry: Geometry, shift: tuple[int, int]) -> tuple[Box, Box]:
    """Return the region that both show, in scaled pixels of the reference and of the candidate."""
    (rw, rh), (cw, ch), (dx, dy) = geometry.reference_size, geometry.candidate_size, shift
    left, top = max(0, -dx), max(0, -dy)
    width, height = min(rw, cw - dx) - left, min(rh, ch - dy) - top
    return Box(left, top, width, height), Box(left + dx, top + dy, width, height)


def _in_own_pixels(window: Box, box: Box, size: tuple[int, int]) -> Box:
    x, y = box.width / size[0], box.height / size[1]
    left, top = round(window.left * x), round(window.top * y)
    right, bottom = round((window.left + window.width) * x), round((window.top + window.height) * y)
    return Box(box.left + left, box.top + top, right - left, bottom - top)


def _alignment(reference: FrameSource, candidate: FrameSource, found: _Found) -> Alignment:
    ours, theirs = reference.look, candidate.look
    notes = (
        *timing_notes(found.timing, (ours.frames, theirs.frames)),
        *place_notes(found.geometry, found.place, (ours.whole, theirs.whole)),
    )
    return Alignment(
        frame_map=tuple((int(a), int(b)) for a, b in found.timing.pairs),
        geometry=found.geometry,
        shift=found.place.shift,
        trivial=not notes,
        notes=(*notes, *rate_notes(reference.fps, candidate.fps)),
        moments_known=found.timing.confirmed or ours.frames == theirs.frames,
        place_known=found.place.confirmed or ours.whole == theirs.whole,
    )
