"""Alignment: which frames and which pixels of two clips show the same thing, found in the pictures and always stated.

The key insight: a map is accepted only if the data distinguish it from its neighbours (off by one frame, off by one
pixel), so that clips which merely differ are never aligned by force. Otherwise frames are compared by number, and the
notes say so; if nothing can be compared, an error says why.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.errors import NotComparable
from spacediff.metrics.alignment_notes import place_notes, rate_notes, timing_notes
from spacediff.metrics.alignment_space import (
    Box,
    Geometry,
    Grey,
    PicturePair,
    Position,
    find_position,
    fit,
    geometries,
    grey,
    without_bars,
)
from spacediff.metrics.alignment_time import Pairs, Thumbnails, Timing, match_frames
from spacediff.record import Fact

_THUMBNAIL = (48, 32)  # pixels; 6 KiB per frame
_KEPT = 8  # frames kept of a clip, spread evenly; fewer of large ones
_KEPT_BYTES = 2**26
_PROBES = 4  # pairs of pictures that are compared in full size


class FrameSource:
    """A clip that can be read more than once, also by several threads; the result of the first pass is kept.

    Args:
        read: Opens the frames from the start, each uint8 `[H, W, 3]`.
        fps: Frames per second, if known.
    """

    def __init__(self, read: Callable[[], Iterable[Frame]], fps: float | None = None) -> None:
        self.read = read
        self.fps = fps
        self._lock = threading.Lock()
        self._overview: Overview | None = None

    @property
    def overview(self) -> Overview:
        """What one pass over the frames collects."""
        with self._lock:  # of this clip alone: the lock of a cached_property is one for all clips before Python 3.12
            if self._overview is None:
                self._overview = _overview(self.read())
            return self._overview

    def thumbnails(self, box: Box) -> Thumbnails:
        """Make a thumbnail of a region in every frame, float32 `[T, pixels]`."""
        if box == self.overview.whole:
            return self.overview.thumbnails
        return np.stack([_thumbnail(box.of(grey(frame))) for frame in self.read()])

    def pictures(self, numbers: Sequence[int]) -> dict[int, Grey]:
        """Return the luma of the frames with these numbers, in full size."""
        kept, needed = self.overview.kept, set(numbers)
        if needed <= kept.keys():
            return {number: grey(kept[number]) for number in numbers}
        read = enumerate(islice(self.read(), max(needed) + 1))
        return {number: grey(frame) for number, frame in read if number in needed}


@dataclass(frozen=True)
class Overview:
    """One pass over a clip.

    Attributes:
        frames: Number of frames.
        whole: The whole picture.
        inside: The region inside bars.
        thumbnails: A thumbnail of each frame.
        kept: Frame number to frame, for a few frames spread evenly.
    """

    frames: int
    whole: Box
    inside: Box
    thumbnails: Thumbnails
    kept: dict[int, Frame]


def _overview(frames: Iterable[Frame]) -> Overview:
    thumbnails: list[NDArray[np.float32]] = []
    kept: dict[int, Frame] = {}
    low = high = None
    spacing = 1
    for number, frame in enumerate(frames):
        picture = grey(frame)
        low = picture if low is None else cv2.min(low, picture)
        high = picture if high is None else cv2.max(high, picture)
        thumbnails.append(_thumbnail(picture))
        if number % spacing == 0:
            kept[number] = frame
        if len(kept) > max(min(_KEPT, _KEPT_BYTES // frame.nbytes), 1):
            spacing *= 2
            kept = {n: old for n, old in kept.items() if n % spacing == 0}
    if low is None or high is None:
        raise NotComparable("the clip has no frames")
    height, width = low.shape
    return Overview(len(thumbnails), Box(0, 0, width, height), without_bars(low, high), np.stack(thumbnails), kept)


def _thumbnail(picture: Grey) -> NDArray[np.float32]:
    """Scale a picture down and subtract its mean, because a change of brightness is not motion."""
    small: NDArray[np.float32] = cv2.resize(picture.astype(np.float32), _THUMBNAIL, interpolation=cv2.INTER_AREA)
    centred: NDArray[np.float32] = np.ravel(small - small.mean())
    return centred


@dataclass(frozen=True)
class Alignment:
    """How one clip maps to another.

    Attributes:
        frame_map: Pairs of frame numbers to compare, reference and candidate, strictly increasing in both.
        geometry: The regions of the pictures that are used, and how they are scaled.
        shift: Whole pixels by which the candidate's picture is shifted to the right and down, after scaling.
        trivial: Whether all frames of both clips are compared by number, whole, at one size, without a shift.
        notes: A fact for each step that is not trivial.
        timing_known: Whether the counts agree, or the pictures show which frames belong together.
        position_known: Whether the sizes agree, or the pictures confirm their relative position.
    """

    frame_map: tuple[tuple[int, int], ...]
    geometry: Geometry
    shift: tuple[int, int]
    trivial: bool
    notes: tuple[Fact, ...]
    timing_known: bool
    position_known: bool

    @property
    def scale(self) -> tuple[float, float]:
        """Size of the candidate's picture relative to the reference's, x and y."""
        return self.geometry.scale

    @property
    def crop(self) -> Box:
        """The region of the reference that both clips show, in pixels of the reference."""
        return _in_own_pixels(self._windows[0], self.geometry.reference_box, self.geometry.reference_size)

    def of_reference(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield the frames of the reference that are compared, scaled and cropped, one in memory at a time."""
        return self._aligned(frames, 0)

    def of_candidate(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield the frames of the candidate that are compared, each of the size of its partner."""
        return self._aligned(frames, 1)

    @property
    def _windows(self) -> tuple[Box, Box]:
        return _windows(self.geometry, self.shift)

    def _aligned(self, frames: Iterable[Frame], side: int) -> Iterator[Frame]:
        box = (self.geometry.reference_box, self.geometry.candidate_box)[side]
        size = (self.geometry.reference_size, self.geometry.candidate_size)[side]
        stream = enumerate(frames)
        for number in (pair[side] for pair in self.frame_map):
            frame = next((frame for n, frame in stream if n == number), None)
            if frame is None:
                return
            yield np.ascontiguousarray(self._windows[side].of(fit(frame, box, size)))


@dataclass(frozen=True)
class _Match:
    """Timing and position under one hypothesis of the geometry."""

    geometry: Geometry
    timing: Timing
    position: Position


def align(reference: FrameSource, candidate: FrameSource) -> Alignment:
    """Find which frames and pixels of two clips show the same thing.

    Raises:
        NotComparable: The pictures have different shapes, and no region is visible in both; or a clip has no frames.
    """
    theirs, ours = candidate.overview, reference.overview  # of the reference last: another thread may be making it
    fallback = None
    for geometry in geometries(ours.whole, theirs.whole, ours.inside, theirs.inside):
        found = _matched(reference, candidate, geometry)
        if found.position.confirmed:
            return _alignment(reference, candidate, found)
        if geometry.natural:
            fallback = found
    if fallback is not None:
        return _alignment(reference, candidate, fallback)
    raise NotComparable(
        f"the reference is {ours.whole.width}x{ours.whole.height} pixels, this clip {theirs.whole.width}x"
        f"{theirs.whole.height}, and no region is visible in both: whole, scaled, cropped or without bars, "
        "the pictures do not match to the pixel"
    )


def _matched(reference: FrameSource, candidate: FrameSource, geometry: Geometry) -> _Match:
    """Find timing and position under one geometry; once the position is known, the timing is found more precisely."""
    boxes = geometry.reference_box, geometry.candidate_box
    timing = match_frames(reference.thumbnails(boxes[0]), candidate.thumbnails(boxes[1]))
    position = find_position(_pictures(reference, candidate, geometry, timing.pairs), cropped=geometry.cropped)
    if not position.confirmed or not (geometry.cropped or position.shift != (0, 0)):
        return _Match(geometry, timing, position)
    left, right = _windows(geometry, position.shift)
    better = match_frames(
        reference.thumbnails(_in_own_pixels(left, boxes[0], geometry.reference_size)),
        candidate.thumbnails(_in_own_pixels(right, boxes[1], geometry.candidate_size)),
    )
    if not np.array_equal(better.pairs, timing.pairs):
        position = find_position(_pictures(reference, candidate, geometry, better.pairs), cropped=geometry.cropped)
    return _Match(geometry, better, position)


def _pictures(reference: FrameSource, candidate: FrameSource, geometry: Geometry, pairs: Pairs) -> list[PicturePair]:
    """Choose some pairs of pictures, spread over the clips; kept frames if there are enough of them."""
    kept = np.isin(pairs[:, 0], [*reference.overview.kept]) & np.isin(pairs[:, 1], [*candidate.overview.kept])
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
    """Return the region that both clips show, in scaled pixels of the reference and of the candidate."""
    (rw, rh), (cw, ch), (dx, dy) = geometry.reference_size, geometry.candidate_size, shift
    left, top = max(0, -dx), max(0, -dy)
    width, height = min(rw, cw - dx) - left, min(rh, ch - dy) - top
    return Box(left, top, width, height), Box(left + dx, top + dy, width, height)


def _in_own_pixels(window: Box, box: Box, size: tuple[int, int]) -> Box:
    x, y = box.width / size[0], box.height / size[1]
    left, top = round(window.left * x), round(window.top * y)
    right, bottom = round((window.left + window.width) * x), round((window.top + window.height) * y)
    return Box(box.left + left, box.top + top, right - left, bottom - top)


def _alignment(reference: FrameSource, candidate: FrameSource, found: _Match) -> Alignment:
    ours, theirs = reference.overview, candidate.overview
    notes = (
        *timing_notes(found.timing, (ours.frames, theirs.frames)),
        *place_notes(found.geometry, found.position, (ours.whole, theirs.whole)),
    )
    return Alignment(
        frame_map=tuple((int(a), int(b)) for a, b in found.timing.pairs),
        geometry=found.geometry,
        shift=found.position.shift,
        trivial=not notes,
        notes=(*notes, *rate_notes(reference.fps, candidate.fps)),
        timing_known=found.timing.confirmed or ours.frames == theirs.frames,
        position_known=found.position.confirmed or ours.whole == theirs.whole,
    )
