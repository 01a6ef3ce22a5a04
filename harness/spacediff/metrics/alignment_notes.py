"""An alignment as facts: one for each of its steps that is not trivial."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spacediff.metrics.alignment_space import Box, Geometry, Position
from spacediff.metrics.alignment_time import LONGEST, Timing
from spacediff.record import Fact, FactKind, fact


def timing_notes(timing: Timing, frames: tuple[int, int]) -> list[Fact]:
    """Note which frames are compared with which; `frames` are the numbers of both clips' frames."""
    pairs = timing.pairs
    if len(pairs) == frames[0] == frames[1]:
        return []
    counts = {"reference_frames": frames[0], "candidate_frames": frames[1]}
    if not timing.confirmed:
        too_long = max(frames) > LONGEST
        return [fact(FactKind.PAIRED_BY_NUMBER, **counts, pairs=len(pairs), too_long=too_long)]
    steps = np.diff(pairs, axis=0)
    step = tuple(int(column[0]) if (column == column[0]).all() else 1 for column in steps.T)
    between = [
        fact(
            FactKind.FRAMES_BETWEEN,
            **counts,
            candidate=bool(side),
            step=step[side],
            first=int(pairs[0, side]),
            between=timing.between,
            inherent=timing.inherent,
        )
        for side in (1, 0)
        if step[side] > 1
    ]
    return between + [each for side in (0, 1) for each in _left_out(pairs[:, side], frames[side], step[side], side)]


def _left_out(own: NDArray[np.intp], frames: int, step: int, side: int) -> list[Fact]:
    """Note which frames of one clip have no partner in the other, except those between every step-th."""
    first, last = int(own[0]), int(own[-1])
    missing = {
        FactKind.BEGINS_LATER: np.arange(first),
        FactKind.LACKS_FRAMES: np.setdiff1d(np.arange(first, last + 1, step), own),
        FactKind.ENDS_EARLIER: np.arange(last + step, frames),
    }
    return [
        fact(kind, candidate=bool(side), left_out=_spans(numbers)) for kind, numbers in missing.items() if len(numbers)
    ]


def _spans(numbers: NDArray[np.intp]) -> list[list[int]]:
    """Return rising numbers as stretches without a gap, first and last of each."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return [[int(run[0]), int(run[-1])] for run in runs]


def rate_notes(reference: float | None, candidate: float | None) -> list[Fact]:
    """Note that two clips play at different rates, in frames per second."""
    if not reference or not candidate or np.isclose(reference, candidate, rtol=1e-3):
        return []
    return [fact(FactKind.RATES_DIFFER, reference=float(reference), candidate=float(candidate))]


def place_notes(geometry: Geometry, place: Position, wholes: tuple[Box, Box]) -> list[Fact]:
    """Note how pictures are brought onto each other; `wholes` are both clips' whole pictures."""
    boxes = geometry.reference_box, geometry.candidate_box
    found = [
        fact(FactKind.BARS, candidate=bool(side), width=boxes[side].width, height=boxes[side].height)
        for side in (0, 1)
        if boxes[side] != wholes[side]
    ]
    if geometry.cropped or boxes[0][2:] != boxes[1][2:]:
        found.append(_sizes(geometry, place, wholes))
    if not geometry.cropped and place.shift != (0, 0):
        right, down = place.shift
        found.append(fact(FactKind.SHIFTED, right=int(right), down=int(down)))
    return found


def _sizes(geometry: Geometry, place: Position, wholes: tuple[Box, Box]) -> Fact:
    boxes = geometry.reference_box, geometry.candidate_box
    scaled = [
        [int(side) for side in size] if tuple(size) != tuple(box[2:]) else []
        for size, box in zip((geometry.reference_size, geometry.candidate_size), boxes, strict=True)
    ]
    return fact(
        FactKind.SIZES_DIFFER,
        reference=[wholes[0].width, wholes[0].height],
        candidate=[wholes[1].width, wholes[1].height],
        reference_scaled_to=scaled[0],
        candidate_scaled_to=scaled[1],
        cropped=geometry.cropped,
        confirmed=place.confirmed,
    )
