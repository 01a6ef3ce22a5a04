"""The distances of latents of which only sketches are at hand, as in a recording of another machine."""

from __future__ import annotations

import math
from pathlib import Path

from spacediff.errors import NotMeasuredError
from spacediff.observer.sketch import distance, sketch
from spacediff.record import NoiseRecord, TraceRecord
from spacediff.store.latents import read_latents

_Sketches = list[list[float]]


def estimated_distances(ours: TraceRecord, theirs: TraceRecord, folder: Path) -> list[float | None]:
    """Estimate the relative distances of the latents: before the first step, then after each.

    Args:
        ours: The trace of the reference.
        theirs: The trace of the run that is compared with it.
        folder: The audit folder, with the latents of runs that have them.

    Returns:
        Empty where one side has neither sketches nor latents, or where steps or scalings do not fit together.
    """
    if len(ours.steps) != len(theirs.steps) or ours.scaling != theirs.scaling:
        return []
    one, other = _sketches(ours, folder), _sketches(theirs, folder)
    if not one or not other:
        return []
    norms = [_norm(ours.noise), *(step.norm for step in ours.steps)]
    equal = [a == b != "" for a, b in zip(_digests(ours), _digests(theirs), strict=True)]  # kept latents may be rounded
    found = [
        0.0 if same else _relative(distance(a, b), norm)
        for a, b, norm, same in zip(one, other, norms, equal, strict=False)
    ]
    return found if any(each is not None for each in found) else []


def _digests(trace: TraceRecord) -> list[str]:
    return [trace.noise.digest if trace.noise else "", *(step.digest for step in trace.steps)]


def _sketches(trace: TraceRecord, folder: Path) -> _Sketches:
    """Return the sketches of a trace, the noise first; those of kept latents are computed."""
    if any(step.sketch for step in trace.steps):
        return [trace.noise.sketch if trace.noise else [], *(step.sketch for step in trace.steps)]
    if not trace.latents:
        return []
    try:
        with read_latents(folder / trace.latents) as latents:
            first, *others = (list(sketch(each)) for each in latents)
    except (NotMeasuredError, ValueError):
        return []
    # the noise is what the latents before the first step were made from, perhaps scaled
    return [first if trace.scaling != "variance exploding" else [], *others]


def _norm(noise: NoiseRecord | None) -> float:
    if noise is None:
        return 0.0
    return math.sqrt(math.prod(noise.shape) * (noise.std**2 + noise.mean**2))


def _relative(found: float | None, norm: float) -> float | None:
    ratio = found / norm if found is not None and norm else math.nan
    return ratio if math.isfinite(ratio) else None
