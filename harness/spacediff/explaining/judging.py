"""Judging: whether a clip equals the target, and whether anyone could see that it does not.

The key insight: these are two questions. Equal hashes answer only the first. The second is judged in the worst tile of
the worst frame, since a mean over the clip hides a lost object.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spacediff.clip import read_frames
from spacediff.metrics.tiles import ClipDifference, Tile, difference_of_clips
from spacediff.record import ClipRecord, RunRecord


@dataclass(frozen=True)
class Judged:
    """How a clip compares with the target.

    Attributes:
        equal: Whether all frames are equal, byte for byte; None where one of the two has no clip.
        within: Whether nobody could see a difference: the worst tile differs by no more than `limit`. Frames of another
            number or size are not within. None where one of the two has no clip.
        worst: The tile that differs most; None where the clips are equal or their frames cannot be paired.
        limit: The largest error that is within, in levels.
    """

    equal: bool | None
    within: bool | None
    worst: Tile | None
    limit: float


class Judge:
    """Compares clips with the target; clips with equal digests are read once.

    Args:
        target: The run to be reproduced.
        folder: The audit folder.
        tolerance: The largest error of a tile that counts as unseen, in levels.
    """

    def __init__(self, target: RunRecord, folder: Path, tolerance: float) -> None:
        self._target = target
        self._folder = folder
        self._limit = tolerance
        self._judged: dict[str, Judged] = {}

    def __call__(self, run: RunRecord) -> Judged:
        """Judge the clip of a run.

        Raises:
            NotMeasuredError: A clip cannot be read.
        """
        if run.clip is None or self._target.clip is None:
            return Judged(None, None, None, self._limit)
        if run.clip.digest not in self._judged:
            self._judged[run.clip.digest] = self._judge(self._target.clip, run.clip)
        return self._judged[run.clip.digest]

    def _judge(self, target: ClipRecord, clip: ClipRecord) -> Judged:
        if clip.digest == target.digest:
            return Judged(equal=True, within=True, worst=None, limit=self._limit)
        worst = worst_between(target, clip, self._folder)
        within = worst is not None and worst.error <= self._limit
        return Judged(equal=False, within=within, worst=worst, limit=self._limit)


def worst_between(one: ClipRecord, other: ClipRecord, folder: Path) -> Tile | None:
    """Find the worst tile of two clips; see `difference_between`."""
    found = difference_between(one, other, folder)
    return found.worst if found else None


def difference_between(one: ClipRecord, other: ClipRecord, folder: Path) -> ClipDifference | None:
    """Measure how far two clips differ, frame by frame; None where frames have no partner of their size.

    Raises:
        NotMeasuredError: A clip cannot be read.
    """
    if (one.frames, one.height, one.width) != (other.frames, other.height, other.width):
        return None
    if one.digest == other.digest:
        return ClipDifference(Tile(0.0, 0, 0, 0, 0, 0), 0.0)
    return difference_of_clips(*(read_frames(folder / clip.lossless) for clip in (one, other)))
