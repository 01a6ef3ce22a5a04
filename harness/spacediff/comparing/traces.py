"""Where two generations first diverge, from their traces: text embedding, initial noise, a step, decoding, encoding.

The key insight: stages run one after the other, so the first that differs is where the difference enters; all that
follows is its echo.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spacediff.errors import NotMeasuredError
from spacediff.record import (
    ComparisonRecord,
    Fact,
    FactKind,
    Role,
    RunRecord,
    Stage,
    StepRecord,
    TraceComparisonRecord,
    TraceRecord,
    fact,
)
from spacediff.store.latents import read_latents


def reference_trace(
    reference: RunRecord, runs: list[RunRecord], comparisons: list[ComparisonRecord]
) -> RunRecord | None:
    """Return the run whose trace the others are compared with.

    It is the reference, if that was generated here. A Space returns no trace; then a local run that reproduces its clip
    replaces it, and otherwise the baseline.
    """
    if reference.trace is not None:
        return reference
    traced = {run.name: run for run in runs if run.trace is not None and run.trace.steps}
    matching = [c.candidate for c in comparisons if c.verdict.matches and c.candidate in traced]
    names = matching or [run.name for run in traced.values() if run.role is Role.BASELINE]
    return traced[names[0]] if names else None


def compare_traces(reference: RunRecord, candidate: RunRecord, folder: Path) -> TraceComparisonRecord | None:
    """Compare the traces of two runs; None where one of them has none.

    Args:
        reference: The run that is compared with.
        candidate: The run compared with it.
        folder: The audit folder, with the latents of both.
    """
    ours, theirs = reference.trace, candidate.trace
    if ours is None or theirs is None:
        return None
    distances = _distances(ours, theirs, folder)
    stage, step = _first_difference(reference, candidate, ours, theirs)
    return TraceComparisonRecord(
        prompt=candidate.prompt,
        reference=reference.name,
        candidate=candidate.name,
        stage=stage,
        step=step,
        steps=len(theirs.steps),
        differing=_differing(stage, step, ours, theirs),
        distances=distances,
    )


def _first_difference(
    reference: RunRecord, candidate: RunRecord, ours: TraceRecord, theirs: TraceRecord
) -> tuple[Stage, int | None]:
    if any(a != b for a, b in zip(ours.embeddings, theirs.embeddings, strict=False) if a and b):
        return Stage.TEXT, None
    if (ours.noise and ours.noise.digest) != (theirs.noise and theirs.noise.digest):
        return Stage.NOISE, None
    for number, (a, b) in enumerate(zip(ours.steps, theirs.steps, strict=False), 1):
        if a.digest != b.digest or a.timestep != b.timestep:
            return Stage.STEP, number
    if len(ours.steps) != len(theirs.steps):
        return Stage.STEP, min(len(ours.steps), len(theirs.steps)) + 1
    if ours.decoded != theirs.decoded:
        return Stage.DECODING, None
    return (Stage.NOWHERE if _files(reference) == _files(candidate) else Stage.ENCODING), None


def _files(run: RunRecord) -> tuple[str, str] | None:
    return (run.clip.digest, run.clip.delivered_digest) if run.clip else None


def _differing(stage: Stage, step: int | None, ours: TraceRecord, theirs: TraceRecord) -> list[Fact]:
    """Return what of the conditions differs where two generations diverge."""
    if stage is Stage.NOISE and ours.noise and theirs.noise:
        pairs = (("shape", ours.noise.shape, theirs.noise.shape), ("dtype", ours.noise.dtype, theirs.noise.dtype))
        return _conditions(*pairs, ("device", ours.noise.device, theirs.noise.device))
    if stage is Stage.STEP:
        return _of_step(step or 1, ours.steps, theirs.steps)
    return []


def _of_step(number: int, ours: Sequence[StepRecord], theirs: Sequence[StepRecord]) -> list[Fact]:
    steps = ("steps", len(ours), len(theirs))
    if number > min(len(ours), len(theirs)):
        return _conditions(steps)
    a, b = ours[number - 1], theirs[number - 1]
    found = _conditions(steps, ("timestep", a.timestep, b.timestep), ("guidance", a.guidance, b.guidance))
    if a.noise != b.noise:
        found.append(fact(FactKind.SCHEDULER_NOISE_DIFFERS, reference=bool(a.noise), candidate=bool(b.noise)))
    return found


def _conditions(*conditions: tuple[str, Any, Any]) -> list[Fact]:
    return [
        fact(FactKind.CONDITION_DIFFERS, name=name, reference=ours, candidate=theirs)
        for name, ours, theirs in conditions
        if ours != theirs
    ]


def _distances(ours: TraceRecord, theirs: TraceRecord, folder: Path) -> list[float | None]:
    """Return the relative distance of the latents step by step; empty where the numbers of steps differ."""
    if not (ours.latents and theirs.latents) or len(ours.steps) != len(theirs.steps):
        return []
    try:
        with read_latents(folder / ours.latents) as reference, read_latents(folder / theirs.latents) as candidate:
            return [_distance(a, b) for a, b in zip(reference, candidate, strict=False)]
    except NotMeasuredError:
        return []


def _distance(reference: np.ndarray, candidate: np.ndarray) -> float | None:
    if reference.shape != candidate.shape:
        return None
    norm = float(np.linalg.norm(reference.ravel().astype(np.float64)))
    distance = float(np.linalg.norm((candidate.astype(np.float64) - reference).ravel()))
    ratio = distance / norm if norm else math.nan
    return ratio if math.isfinite(ratio) else None
