"""Measures of single clips (motion, brightness, …) for both sides of a pair, on the frames that are compared."""

from __future__ import annotations

from spacediff.comparing.comparison import Scored
from spacediff.metrics.motion import MEASURES, pooled_measure, ratio
from spacediff.record import MeasureRecord


def measures_of(scored: Scored) -> dict[str, MeasureRecord]:
    """Return measure name to what it is on both sides of a pair; between pictures, nothing moves."""
    sides = scored.pair.reference, scored.pair.candidate
    still = "pictures" in {side.clip.medium for side in sides}
    ours, theirs = scored.of_reference, scored.of_candidate
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
