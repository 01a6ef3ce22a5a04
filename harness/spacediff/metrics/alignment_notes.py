"""An alignment in words: one plain sentence for each of its steps that is not trivial."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spacediff.metrics.alignment_space import Box, Geometry, Position
from spacediff.metrics.alignment_time import LONGEST, Timing

_NAMES = ("the reference", "this clip")
_ORDINALS = {2: "second", 3: "third", 4: "fourth"}
_SHOWN = 6  # runs of frame numbers that are written out


def timing_notes(timing: Timing, frames: tuple[int, int]) -> list[str]:
    """Say which frames are held against which; `frames` are the numbers of both clips' frames."""
    pairs = timing.pairs
    if len(pairs) == frames[0] == frames[1]:
        return []
    counts = f"the reference has {_counted(frames[0])}, this clip {frames[1]}"
    if not timing.confirmed:
        reason = "clips this long are not searched for" if max(frames) > LONGEST else "the pictures do not tell"
        first = "first frame of each is" if len(pairs) == 1 else f"first {len(pairs)} frames of each are"
        way = f"the {first} held against each other by number"
        return [f"{counts}, and {reason} which frames belong together: {way}"]
    steps = np.diff(pairs, axis=0)
    step = tuple(int(column[0]) if (column == column[0]).all() else 1 for column in steps.T)
    sentences = [f"{counts}: {_every(timing, step, side)}" for side in (1, 0) if step[side] > 1]
    sentences += [text for side in (0, 1) for text in _left_out(pairs[:, side], frames[side], step[side], side)]
    return sentences


def _every(timing: Timing, step: tuple[int, ...], side: int) -> str:
    dense, coarse = _NAMES[side], _NAMES[1 - side]
    between = f"{timing.between} frames" if timing.between else "frames"
    ordinal = _ORDINALS.get(step[side], f"{step[side]}th")
    grounds = f"; only {dense} itself shows this, since it differs from {coarse}" if timing.inherent else ""
    return (
        f"every {ordinal} one of {dense}, from frame {timing.pairs[0, side]} on, is held against "
        f"{coarse}, and the {between} between are left out{grounds}"
    )


def _left_out(own: NDArray[np.intp], frames: int, step: int, side: int) -> list[str]:
    """Say which frames of one clip have no partner in the other, except those between every step-th."""
    name, other = _NAMES[side], _NAMES[1 - side]
    first, last = int(own[0]), int(own[-1])
    inner = np.setdiff1d(np.arange(first, last + 1, step), own)
    sentences = []
    if first:
        sentences.append(f"{other} begins later: {_listed(np.arange(first), name)}")
    if len(inner):
        sentences.append(f"{other} lacks frames in between: {_listed(inner, name)}")
    if last + step < frames:
        sentences.append(f"{other} ends earlier: {_listed(np.arange(last + step, frames), name)}")
    return sentences


def _listed(numbers: NDArray[np.intp], name: str) -> str:
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    texts = [f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    more = f" and {len(texts) - _SHOWN} more places" if len(texts) > _SHOWN else ""
    frames, are = ("frame", "is") if len(numbers) == 1 else ("frames", "are")
    return f"{frames} {', '.join(texts[:_SHOWN])}{more} of {name} {are} left out"


def _counted(frames: int) -> str:
    return "1 frame" if frames == 1 else f"{frames} frames"


def rate_notes(reference: float | None, candidate: float | None) -> list[str]:
    """Say that two clips play at different rates, in frames per second."""
    if not reference or not candidate or np.isclose(reference, candidate, rtol=1e-3):
        return []
    rates = f"the reference plays at {reference:g} fps, this clip at {candidate:g}"
    return [f"{rates}: frames are not held against each other by their time"]


def place_notes(geometry: Geometry, place: Position, wholes: tuple[Box, Box]) -> list[str]:
    """Say how pictures are brought onto each other; `wholes` are both clips' whole pictures."""
    boxes = geometry.reference_box, geometry.candidate_box
    sentences = [
        f"{_NAMES[side]} has bars around its picture: only the {_pixels(boxes[side])} pixels inside them are used"
        for side in (0, 1)
        if boxes[side] != wholes[side]
    ]
    if geometry.cropped or boxes[0][2:] != boxes[1][2:]:
        sentences.append(_scaled(geometry, place, wholes))
    dx, dy = place.shift
    if not geometry.cropped and place.shift != (0, 0):
        ways = [f"{abs(dx)} px {'right' if dx > 0 else 'left'}"] * (dx != 0)
        ways += [f"{abs(dy)} px {'down' if dy > 0 else 'up'}"] * (dy != 0)
        sentences.append(
            f"this clip's picture lies {' and '.join(ways)} of the reference's: it is moved back, and only what both "
            "show is compared"
        )
    return sentences


def _scaled(geometry: Geometry, place: Position, wholes: tuple[Box, Box]) -> str:
    boxes = geometry.reference_box, geometry.candidate_box
    sizes = geometry.reference_size, geometry.candidate_size
    done = [
        f"{_NAMES[side]} is scaled down to {sizes[side][0]}x{sizes[side][1]} by area averaging"
        for side in (0, 1)
        if sizes[side] != boxes[side][2:]
    ]
    if geometry.cropped:
        done.append("only the region that both show is compared")
    trust = "this place is confirmed to the pixel" if place.confirmed else "the pictures do not confirm this place"
    return (
        f"the reference is {_pixels(wholes[0])} pixels, this clip {_pixels(wholes[1])}: {' and '.join(done)}; {trust}"
    )


def _pixels(box: Box) -> str:
    return f"{box.width}x{box.height}"
