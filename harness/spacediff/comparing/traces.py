"""Where two generations first diverge, from their traces: text embedding, input, noise, a step, decoding, encoding.

The key insight: stages run one after the other, so the first that differs is where the difference enters; all that
follows is its echo.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spacediff.comparing.sketched import estimated_distances
from spacediff.errors import NotMeasuredError
from spacediff.observer.scaling import CONVERTIBLE
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
from spacediff.record.derived.divergence import before_the_loop, differ, first_step, is_unobserved
from spacediff.store.latents import read_latents


def reference_trace(
    reference: RunRecord, runs: list[RunRecord], comparisons: list[ComparisonRecord]
) -> RunRecord | None:
    """Return the run whose trace the others are compared with.

    It is the reference, if that has a trace, as one generated here and a recording have. One without is replaced by a
    local run that reproduces its clip, and otherwise by the baseline.
    """
    if reference.trace is not None:
        return reference
    traced = {run.name: run for run in runs if run.trace is not None and run.trace.steps}
    matching = [c.candidate for c in comparisons if c.verdict.matches and c.candidate in traced]
    names = matching or [run.name for run in traced.values() if run.role is Role.BASELINE]
    return traced[names[0]] if names else None


def compare_traces(
    reference: RunRecord, candidate: RunRecord, folder: Path, *, equal_once_encoded: bool = False
) -> TraceComparisonRecord | None:
    """Compare the traces of two runs; None where one of them has none.

    Args:
        reference: The run that is compared with.
        candidate: The run compared with it.
        folder: The audit folder, with the latents of both.
        equal_once_encoded: Whether the reference is an encoded file that the candidate's pictures reproduce.
    """
    ours, theirs = reference.trace, candidate.trace
    if ours is None or theirs is None:
        return None
    stage, step = _first_difference(reference, candidate, ours, theirs)
    if equal_once_encoded and stage in {Stage.UNOBSERVED, Stage.DECODING, Stage.ENCODING}:
        stage = Stage.NOWHERE
    exact = _distances(ours, theirs, folder)
    estimated = [] if exact else estimated_distances(ours, theirs, folder)
    return TraceComparisonRecord(
        prompt=candidate.prompt,
        reference=reference.name,
        candidate=candidate.name,
        stage=stage,
        step=step,
        steps=len(theirs.steps),
        differing=[
            *_differing(stage, step, ours, theirs),
            *_before_first_step(step, ours, theirs),
            *_hidden_decoding(stage, reference, candidate),
        ],
        distances=exact or estimated,
        estimated=bool(estimated),
        scalings=(ours.scaling or "unknown", theirs.scaling or "unknown") if ours.scaling != theirs.scaling else None,
        unobserved=[*_unobserved(ours, theirs), *(() if reference.measured and candidate.measured else ["frames"])],
    )


def _unobserved(ours: TraceRecord, theirs: TraceRecord) -> list[str]:
    """Return what was not seen of one run or the other; older records say it only by empty lists."""
    missing = {*ours.unobserved, *theirs.unobserved, *(["steps"] if not (ours.steps and theirs.steps) else [])}
    listed = ("text", *_unobserved_inputs(ours, theirs), "noise", "steps", "decoding")
    return [name for name in listed if name in missing]


def _unobserved_inputs(ours: TraceRecord, theirs: TraceRecord) -> list[str]:
    """Return `inputs` where there are some that were not seen of one run; a program may never say any."""
    unseen = ["inputs" in each.unobserved for each in (ours, theirs)]
    return ["inputs"] if all(unseen) or (any(unseen) and (ours.inputs or theirs.inputs)) else []


def _first_difference(
    reference: RunRecord, candidate: RunRecord, ours: TraceRecord, theirs: TraceRecord
) -> tuple[Stage, int | None]:
    if early := before_the_loop(ours, theirs):
        return early, None
    step = first_step(ours.steps, theirs.steps)
    if ours.steps and theirs.steps and step is not None:
        return Stage.STEP, step
    if not (reference.measured and candidate.measured):
        return _without_frames(ours, theirs), None
    unseen = {"steps", "decoding"} & {*_unobserved(ours, theirs)}
    if unseen and not _same_pictures(reference, candidate):
        return Stage.UNOBSERVED, None
    if ours.decoded != theirs.decoded and not _same_pictures(reference, candidate):
        return Stage.DECODING, None
    return (Stage.NOWHERE if _files(reference) == _files(candidate) else Stage.ENCODING), None


def _without_frames(ours: TraceRecord, theirs: TraceRecord) -> Stage:
    """Return where two generations diverge of which no step differs, and of one of which the frames are unknown."""
    if not _other_decoding(ours, theirs):
        return Stage.NOWHERE
    return Stage.UNOBSERVED if "steps" in _unobserved(ours, theirs) else Stage.DECODING


def _before_first_step(step: int | None, ours: TraceRecord, theirs: TraceRecord) -> list[Fact]:
    """Say what may have differed before the first step already, and was not seen of both."""
    unseen = [name for name in ("text", "noise") if is_unobserved(name, ours, theirs)]
    return [fact(FactKind.UNOBSERVED_BEFORE, names=unseen)] if step == 1 and unseen else []


def _other_decoding(ours: TraceRecord, theirs: TraceRecord) -> bool:
    """Whether two decodings are known to differ."""
    return bool(ours.decoded and theirs.decoded and ours.decoded != theirs.decoded)


def _hidden_decoding(stage: Stage, reference: RunRecord, candidate: RunRecord) -> list[Fact]:
    """Say that the decoding differs where the pictures do not show it, which those of an encoded file may hide."""
    ours, theirs = reference.trace, candidate.trace
    if stage not in {Stage.NOWHERE, Stage.ENCODING} or not (ours and theirs and _other_decoding(ours, theirs)):
        return []
    encoded = any(run.clip is not None and run.clip.original for run in (reference, candidate))
    if _same_pictures(reference, candidate) and not encoded:
        return [fact(FactKind.DECODED_BELOW_A_LEVEL)]
    return [fact(FactKind.DECODED_EQUAL_ONCE_ENCODED)]


def _same_pictures(reference: RunRecord, candidate: RunRecord) -> bool:
    ours, theirs = reference.clip, candidate.clip
    return ours is not None and theirs is not None and ours.digest == theirs.digest


def _files(run: RunRecord) -> tuple[str, str] | None:
    return (run.clip.digest, run.clip.delivered_digest) if run.clip else None


def _differing(stage: Stage, step: int | None, ours: TraceRecord, theirs: TraceRecord) -> list[Fact]:
    """Return what of the conditions differs where two generations diverge."""
    if stage is Stage.INPUT:
        return _conditions(("inputs", len(ours.inputs), len(theirs.inputs)))
    if stage is Stage.NOISE and ours.noise and theirs.noise:
        pairs = (("shape", ours.noise.shape, theirs.noise.shape), ("dtype", ours.noise.dtype, theirs.noise.dtype))
        return _conditions(*pairs, ("device", ours.noise.device, theirs.noise.device))
    if stage is Stage.STEP:
        partly = is_unobserved("conditions", ours, theirs)
        return _of_step(step or 1, ours.steps, theirs.steps, partly=partly)
    return []


def _of_step(number: int, ours: Sequence[StepRecord], theirs: Sequence[StepRecord], *, partly: bool) -> list[Fact]:
    """Return which conditions of a step differ; where some were not seen of both, only of those that were."""
    steps = ("steps", len(ours), len(theirs))
    if number > min(len(ours), len(theirs)):
        return _conditions(steps)
    a, b = ours[number - 1], theirs[number - 1]
    if partly:
        known = (("timestep", a.timestep, b.timestep), ("guidance", a.guidance, b.guidance))
        return _conditions(steps, *(each for each in known if differ(each[1], each[2])))
    found = _conditions(
        steps,
        ("timestep", a.timestep, b.timestep),
        ("guidance", a.guidance, b.guidance),
        ("embedded-guidance", a.embedded_guidance, b.embedded_guidance),
        ("guidance-range", _listed(a.guidance_range), _listed(b.guidance_range)),
        ("predictions", a.predictions, b.predictions),
    )
    if a.noise != b.noise:
        found.append(fact(FactKind.SCHEDULER_NOISE_DIFFERS, reference=bool(a.noise), candidate=bool(b.noise)))
    return found


def _listed(scales: tuple[float, float] | None) -> list[float] | None:
    """Return a range as JSON holds it."""
    return list(scales) if scales else None


def _conditions(*conditions: tuple[str, Any, Any]) -> list[Fact]:
    return [
        fact(FactKind.CONDITION_DIFFERS, name=name, reference=ours, candidate=theirs)
        for name, ours, theirs in conditions
        if ours != theirs
    ]


def _distances(ours: TraceRecord, theirs: TraceRecord, folder: Path) -> list[float | None]:
    """Return the relative distance of the latents step by step.

    Empty where the numbers of steps differ, or where the latents have scalings between which none can be converted.
    """
    if not (ours.latents and theirs.latents) or len(ours.steps) != len(theirs.steps):
        return []
    factors = [(1.0, 1.0)] * (len(ours.steps) + 1)
    if ours.scaling != theirs.scaling:
        factors = list(zip(_signals(ours), _signals(theirs), strict=False))  # empty where one is unknown
    if not factors:
        return []
    try:
        with read_latents(folder / ours.latents) as reference, read_latents(folder / theirs.latents) as candidate:
            return [
                _distance(a / of_a, b / of_b) for a, b, (of_a, of_b) in zip(reference, candidate, factors, strict=False)
            ]
    except NotMeasuredError:
        return []


def _signals(trace: TraceRecord) -> list[float]:
    """Return the factor of the clean sample in the latents: before the first step, and after each; empty if unknown.

    What a step was given is what the one before returned; after the last, no noise is left.
    """
    given = [step.signal for step in trace.steps]
    known = [signal for signal in given if signal]
    if trace.scaling not in CONVERTIBLE or len(known) != len(given):
        return []
    return [*known, 1.0]


def _distance(reference: np.ndarray, candidate: np.ndarray) -> float | None:
    if reference.shape != candidate.shape:
        return None
    norm = float(np.linalg.norm(reference.ravel().astype(np.float64)))
    distance = float(np.linalg.norm((candidate.astype(np.float64) - reference).ravel()))
    ratio = distance / norm if norm else math.nan
    return ratio if math.isfinite(ratio) else None
