"""Measures of single clips (motion, brightness, …) for both sides of a pair, on the frames that are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from spacediff.clip import Frame
from spacediff.comparing.pairing import Pair, Side
from spacediff.metrics.motion import MEASURES, measure, pooled_measure, ratio
from spacediff.record import MeasureRecord


class Measuring:
    """Measures both sides of pairs; a file of which all frames are compared is measured once."""

    def __init__(self) -> None:
        self._done: dict[Path, pd.DataFrame] = {}

    def both(self, pair: Pair) -> dict[str, MeasureRecord]:
        """Return measure name to what it is on both sides of a pair; between pictures, nothing moves."""
        still = "pictures" in {pair.reference.clip.medium, pair.candidate.clip.medium}
        ours = self._of(pair.reference, pair, pair.reference_frames)
        theirs = self._of(pair.candidate, pair, pair.candidate_frames)
        return {
            each.info.name: MeasureRecord(
                reference=pooled_measure(ours, each),
                candidate=pooled_measure(theirs, each),
                ratio=ratio(theirs, ours, each),
                reference_frames=ours[each.info.name].tolist(),
                candidate_frames=theirs[each.info.name].tolist(),
            )
            for each in MEASURES
            if not (still and each.between)
        }

    def _of(self, side: Side, pair: Pair, frames: Callable[[], Iterator[Frame]]) -> pd.DataFrame:
        if not pair.alike:
            return measure(frames())
        if side.file not in self._done:
            self._done[side.file] = measure(frames())
        return self._done[side.file]
