"""Which frame of one clip corresponds to which frame of another: doubled, cut, dropped, or simply by number.

The key insight: a map of frames is accepted only if being off by one frame would at least double the error. Unrelated
clips never pass, because they differ by more than one frame's motion. Static clips do not pass either, because every
map fits them equally well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Thumbnails = NDArray[np.float32]
"""One row per frame, float32 `[T, pixels]`: small grey pictures of the same size."""

Pairs = NDArray[np.intp]
"""Pairs of frame numbers, `[N, 2]`: reference, candidate; strictly increasing in both."""

LONGEST = 2000
"""Longest clip, in frames, whose timing is searched; the distances of all pairs of two such clips take 32 MiB."""

CLEARLY = 2.0
"""Required ratio of the mean squared error without a map, and off by one frame, to that of the map."""

_STEPS = (1, 2, 3, 4)  # 8 fps to 16, 24, 32: the factors of interpolators
_FEWEST = 4  # pairs; fewer are not a sequence
_TIE = 0.05  # of one frame's motion: a smaller difference does not decide between two maps
_REPEAT = 0.05  # of the motion between original frames: a frame that differs less from the previous one repeats it
_GAP = 0.25  # of one frame's motion: the cost of leaving a frame out; a pair that differs by twice that is not a match
_SHARED = 0.75  # share of frames that must have a partner: of the shorter clip, or of both if one has a higher rate
_OVERLAP = 0.5  # the same, of the shorter clip, if no frame is missing in between
_EVERY = 0.9  # share of a clip's original frames that must stand out from those between them
_VISIBLE = 0.05  # squared levels of a thumbnail: smaller motion is the rounding of 8-bit values
_ROUNDING = 1e-6  # squared levels


@dataclass(frozen=True)
class Timing:
    """Which frames are compared.

    Attributes:
        pairs: Frame numbers, reference and candidate.
        confirmed: Whether the pictures distinguish this map from one that is off by a frame.
        between: What the frames between the paired ones are, in the clip with the higher rate, if this is visible.
        inherent: Whether the map follows from the clip with the higher rate alone, because the clips show different
            things.
    """

    pairs: Pairs
    confirmed: bool
    between: Literal["", "repeated", "interpolated"] = ""
    inherent: bool = False


def match_frames(reference: Thumbnails, candidate: Thumbnails) -> Timing:
    """Find the map of frames that explains the data; by number if none does."""
    by_number = np.stack([np.arange(min(len(reference), len(candidate)))] * 2, axis=1)
    if max(len(reference), len(candidate)) > LONGEST or len(by_number) < _FEWEST:
        return Timing(by_number, confirmed=False)
    squares = _squared_distances(reference, candidate)
    found = _clearest(squares, by_number)
    with_gaps = _with_gaps(squares, _motion(reference, candidate), by_number if found is None else found)
    if with_gaps is not None:
        found = with_gaps
    if found is not None:
        return Timing(found, confirmed=True, between=_between(reference, candidate, found))
    if _is_clear(squares, by_number):
        return Timing(by_number, confirmed=True)
    return _inherent(reference, candidate) or Timing(by_number, confirmed=False)


def _squared_distances(left: Thumbnails, right: Thumbnails) -> NDArray[np.float64]:
    """Compute the mean squared difference of every pair, in squared levels, float64 `[T, T']`."""
    centre = (left.mean(axis=0, dtype=np.float64) + right.mean(axis=0, dtype=np.float64)) / 2
    x, y = left - centre, right - centre
    squares = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1) - 2 * (x @ y.T)
    distances: NDArray[np.float64] = np.maximum(squares, 0) / left.shape[1]
    return distances


def _error(squares: NDArray[np.float64], pairs: Pairs) -> float:
    return float(squares[pairs[:, 0], pairs[:, 1]].mean())


def _coarse_first(squares: NDArray[np.float64], pairs: Pairs) -> tuple[NDArray[np.float64], Pairs]:
    """Transpose the table if needed, so that its rows are the clip with fewer frames in the span."""
    spans = np.ptp(pairs, axis=0)
    return (squares, pairs) if spans[0] <= spans[1] else (squares.T, pairs[:, ::-1])


def _off_by_one(squares: NDArray[np.float64], pairs: Pairs) -> float:
    """Return the error of each frame and a neighbour of its partner, on the better side: one frame's motion."""
    squares, pairs = _coarse_first(squares, pairs)
    later = pairs[pairs[:, 0] + 1 < len(squares)] + np.array([1, 0])
    earlier = pairs[pairs[:, 0] > 0] - np.array([1, 0])
    return min(_error(squares, later), _error(squares, earlier))


def _is_clear(squares: NDArray[np.float64], pairs: Pairs) -> bool:
    return _off_by_one(squares, pairs) > CLEARLY * _error(squares, pairs) + _VISIBLE


def _explains(squares: NDArray[np.float64], pairs: Pairs, plain: Pairs) -> bool:
    """Whether a map is clear, and clearly better than a simpler one where they differ."""
    if not _is_clear(squares, pairs):
        return False
    ours, theirs = _only(pairs, plain), _only(plain, pairs)
    if not len(ours) or not len(theirs):
        return False
    least = _VISIBLE + _TIE * _off_by_one(squares, pairs)
    return _error(squares, theirs) > CLEARLY * _error(squares, ours) + least


def _only(pairs: Pairs, others: Pairs) -> Pairs:
    """Return the pairs that are not in `others`."""
    known = {(int(ours), int(theirs)) for ours, theirs in others}
    return np.array([pair for pair in pairs if (int(pair[0]), int(pair[1])) not in known], dtype=np.intp).reshape(-1, 2)


def _clearest(squares: NDArray[np.float64], by_number: Pairs) -> Pairs | None:
    """Return the best regular map that explains more than pairing by number; among equals, the one with most frames."""
    best: Pairs | None = None
    lowest = np.inf
    for pairs in _regular_maps(*squares.shape):
        error = _error(squares, pairs)
        tie = _TIE * _off_by_one(squares, pairs)
        better = error < lowest - tie or (error < lowest + tie and (best is None or len(pairs) > len(best)))
        if better and _explains(squares, pairs, by_number):
            best, lowest = pairs, error
    return best


def _regular_maps(reference: int, candidate: int) -> Iterator[Pairs]:
    """Yield the maps of every k-th frame that use enough frames; of repeated frames, the first one first."""
    for step in _STEPS:
        yield from _every(step, reference, candidate)
        if step > 1:
            yield from (pairs[:, ::-1] for pairs in _every(step, candidate, reference))


def _every(step: int, coarse: int, dense: int) -> Iterator[Pairs]:
    lengths = (coarse, dense / step)
    fewest = max(_FEWEST, _OVERLAP * min(lengths) if step == 1 else _SHARED * max(lengths))
    numbers = np.arange(coarse)
    for offset in range(-step * coarse, dense):
        partners = step * numbers + offset
        inside = (partners >= 0) & (partners < dense)
        if inside.sum() >= fewest and (step, offset) != (1, 0):
            yield np.stack([numbers[inside], partners[inside]], axis=1)


def _motion(reference: Thumbnails, candidate: Thumbnails) -> float:
    """Return the mean squared difference from one frame to the next, of the clip with more motion."""
    return max(float((np.diff(clip, axis=0) ** 2).mean()) for clip in (reference, candidate))


def _with_gaps(squares: NDArray[np.float64], motion: float, plain: Pairs) -> Pairs | None:
    """Return a map with missing frames in one clip that explains more than the plain map, or None.

    This is global sequence alignment with a linear gap cost (Needleman and Wunsch 1970). If both clips have a frame
    without a partner at the same place, the frames differ and are not missing: they stay paired.
    """
    matched = _needleman_wunsch(squares, _GAP * motion)
    if len(matched) < max(_FEWEST, _SHARED * min(squares.shape)):
        return None
    pairs = _filled(_without_detours(matched), *squares.shape)
    return pairs if _explains(squares, pairs, plain) else None


def _needleman_wunsch(squares: NDArray[np.float64], gap: float) -> Pairs:
    """Return the pairs on the cheapest path: a pair costs its distance, a frame that is left out costs the gap.

    The table is filled from the end, so that the first of equal frames is paired.
    """
    rows, columns = squares.shape
    skipped = gap * np.arange(columns + 1)[::-1]
    table = np.empty((rows + 1, columns + 1))
    table[rows] = skipped
    for row in range(rows - 1, -1, -1):
        best = table[row + 1] + gap
        best[:-1] = np.minimum(best[:-1], table[row + 1, 1:] + squares[row])
        table[row] = np.minimum.accumulate((best - skipped)[::-1])[::-1] + skipped
    pairs = []
    row = column = 0
    while row < rows and column < columns:
        here = table[row, column] + _ROUNDING
        if table[row + 1, column + 1] + squares[row, column] <= here:
            pairs.append((row, column))
            row, column = row + 1, column + 1
        elif table[row + 1, column] + gap <= here:
            row += 1
        else:
            column += 1
    return np.array(pairs, dtype=np.intp).reshape(-1, 2)


def _without_detours(matched: Pairs) -> Pairs:
    """Remove short segments between segments of equal offset: a repeated frame is not a missing one."""
    offsets = matched[:, 1] - matched[:, 0]
    segments = np.split(matched, np.flatnonzero(np.diff(offsets)) + 1)
    ends = [int(segment[0, 1] - segment[0, 0]) for segment in segments]
    return np.concatenate(
        [
            segment
            for number, segment in enumerate(segments)
            if len(segment) >= _FEWEST or not 0 < number < len(segments) - 1 or ends[number - 1] != ends[number + 1]
        ]
    )


def _filled(matched: Pairs, reference: int, candidate: int) -> Pairs:
    """Pair frames that were left out in both clips between two matches, by number."""
    pairs = [matched[0] - back for back in range(int(matched[0].min()), 0, -1)]
    following = np.concatenate([matched[1:], [[reference, candidate]]])
    for here, there in zip(matched, following, strict=True):
        pairs.extend(here + ahead for ahead in range(int((there - here).min())))
    return np.array(pairs, dtype=np.intp)


def _between(reference: Thumbnails, candidate: Thumbnails, pairs: Pairs) -> Literal["", "repeated", "interpolated"]:
    spans = np.ptp(pairs, axis=0)
    dense, own = (candidate, pairs[:, 1]) if spans[1] > spans[0] else (reference, pairs[:, 0])
    return _drawn_between(dense, own)


def _drawn_between(dense: Thumbnails, own: NDArray[np.intp]) -> Literal["", "repeated", "interpolated"]:
    """Detect from a single clip whether the frames between its original ones (`own`) were made from them.

    Repeated: the frame before an original one is nearly equal to the previous original one. Interpolated: the change
    from frame to frame breaks (a large second difference) at original frames and nowhere else.
    """
    step = int(np.diff(own).max(initial=1))
    here, there = own[:-1], own[1:]
    if step == 1 or (there - here != step).any():
        return ""
    moved, stayed = (((dense[later] - dense[here]) ** 2).mean() for later in (there, there - 1))
    if stayed < _REPEAT * moved:
        return "repeated"
    inner = own[(own > 1) & (own < len(dense) - 2)]
    breaks = ((dense[:-2] - 2 * dense[1:-1] + dense[2:]) ** 2).mean(axis=1)  # of frames 1 to T - 2
    if not len(inner):
        return ""
    around = np.maximum(breaks[inner - 2], breaks[inner])
    stands_out = breaks[inner - 1].mean() > CLEARLY**2 * around.mean() and (breaks[inner - 1] > around).mean() >= _EVERY
    return "interpolated" if stands_out else ""


def _inherent(reference: Thumbnails, candidate: Thumbnails) -> Timing | None:
    """Return the map of a clip that shows by itself that it was made from fewer frames, or None.

    So an interpolated hosted clip is not compared at half speed only because it shows a different sample. The number of
    frames has to fit exactly.
    """
    swapped = len(reference) > len(candidate)
    coarse, dense = (candidate, reference) if swapped else (reference, candidate)
    for step in _STEPS[1:]:
        own = step * np.arange(len(coarse))
        if len(dense) not in (own[-1] + 1, own[-1] + step) or len(coarse) <= _FEWEST:
            continue
        if between := _drawn_between(dense, own):
            pairs = np.stack([np.arange(len(coarse)), own], axis=1)
            return Timing(pairs[:, ::-1] if swapped else pairs, confirmed=True, between=between, inherent=True)
    return None
