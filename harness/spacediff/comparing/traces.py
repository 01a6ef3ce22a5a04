"""Where two generations first part, from their traces: text embedding, initial noise, a step, decoding, encoding.

The key insight: stages run one after the other, so the first that differs is where the difference enters; all that
follows is its echo.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from spacediff.errors import NotMeasuredError
from spacediff.record import ComparisonRecord, Role, RunRecord, Stage, StepRecord, TraceComparisonRecord, TraceRecord
from spacediff.store.latents import read_latents


def reference_trace(
    reference: RunRecord, runs: list[RunRecord], comparisons: list[ComparisonRecord]
) -> RunRecord | None:
    """Return the run whose trace the others are held against.

    It is the reference, if that was generated here. A host shows nothing of its inside; then a local run that reached
    its clip stands for it, and else the baseline.
    """
    if reference.trace is not None:
        return reference
    traced = {run.name: run for run in runs if run.trace is not None and run.trace.steps}
    matching = [c.candidate for c in comparisons if c.verdict.matches and c.candidate in traced]
    names = matching or [run.name for run in traced.values() if run.role is Role.BASELINE]
    return traced[names[0]] if names else None


def compare_traces(reference: RunRecord, candidate: RunRecord, folder: Path) -> TraceComparisonRecord | None:
    """Hold a run's trace against another's; None where one of them has none.

    Args:
        reference: The run that is held to.
        candidate: The run held against it.
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
        sentence=_sentence(stage, step, ours, theirs, distances),
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


def _sentence(
    stage: Stage, step: int | None, ours: TraceRecord, theirs: TraceRecord, distances: list[float | None]
) -> str:
    match stage:
        case Stage.NOWHERE:
            return "identical in every stage"
        case Stage.TEXT:
            return "other text embeddings from the start"
        case Stage.NOISE:
            return "other initial noise, so no step has a chance to agree" + _noise_differs(ours, theirs)
        case Stage.DECODING:
            return f"identical through all {len(ours.steps)} steps; the VAE decodes them otherwise"
        case Stage.ENCODING:
            return "identical up to the decoded pictures; they are made into a file otherwise"
    number = step or 1
    until = "from the first step on" if number == 1 else f"identical up to step {number - 1} of {len(theirs.steps)}"
    return f"{until}{_step_differs(number, ours, theirs)}{_growth(number, distances)}"


def _noise_differs(ours: TraceRecord, theirs: TraceRecord) -> str:
    if ours.noise is None or theirs.noise is None:
        return ""
    parts = [
        f"{name} {a} against {b}"
        for name, a, b in (
            ("shape", ours.noise.shape, theirs.noise.shape),
            ("dtype", ours.noise.dtype, theirs.noise.dtype),
            ("device", ours.noise.device, theirs.noise.device),
        )
        if a != b
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _step_differs(number: int, ours: TraceRecord, theirs: TraceRecord) -> str:
    """Say what of a step's conditions differs, when something does."""
    if number > min(len(ours.steps), len(theirs.steps)):
        return f"; then one has {len(ours.steps)} steps, the other {len(theirs.steps)}"
    a, b = ours.steps[number - 1], theirs.steps[number - 1]
    steps = (len(ours.steps), len(theirs.steps))
    parts = [f"{steps[0]} steps against {steps[1]}"] if steps[0] != steps[1] else []
    parts += [
        f"{name} {_short(x)} against {_short(y)}"
        for name, x, y in (("timestep", a.timestep, b.timestep), ("guidance", a.guidance, b.guidance))
        if x != y
    ]
    if a.noise != b.noise:
        parts.append(_drawn(a, b))
    return f" ({', '.join(parts)})" if parts else ""


def _drawn(a: StepRecord, b: StepRecord) -> str:
    if a.noise and b.noise:
        return "other noise drawn by the scheduler"
    return "only one scheduler draws noise"


def _short(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _growth(number: int, distances: list[float | None]) -> str:
    """Say how far the latents are at the step that parts, and at the end."""
    there = distances[number] if number < len(distances) else None
    if there is None:
        return ""
    end = distances[-1]
    grown = f", {end:.2%} after the last" if end is not None and number < len(distances) - 1 else ""
    return f"; the latents part by {there:.2%} there{grown}"


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
