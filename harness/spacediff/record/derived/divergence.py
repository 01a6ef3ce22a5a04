"""Where two traces first differ, as far as digests show it: before the denoising, or at a step."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record.trace import Stage, StepRecord, TraceRecord


def before_the_loop(ours: TraceRecord, theirs: TraceRecord) -> Stage | None:
    """Return the stage before the denoising that differs first; None if none is known to."""
    if any(a != b for a, b in zip(ours.embeddings, theirs.embeddings, strict=False) if a and b):
        return Stage.TEXT
    if ours.inputs != theirs.inputs and not is_unobserved("inputs", ours, theirs):
        return Stage.INPUT
    return Stage.NOISE if _other_noise(ours, theirs) else None


def is_unobserved(name: str, ours: TraceRecord, theirs: TraceRecord) -> bool:
    """Whether something was not seen of one run or the other."""
    return name in ours.unobserved or name in theirs.unobserved


def _other_noise(ours: TraceRecord, theirs: TraceRecord) -> bool:
    if is_unobserved("noise", ours, theirs):
        return False
    if ours.noise and theirs.noise and not (ours.noise.drawn and theirs.noise.drawn):
        # the first step is given the noise in the scheduler's own scaling
        return ours.scaling == theirs.scaling and ours.noise.digest != theirs.noise.digest
    return (ours.noise and ours.noise.digest) != (theirs.noise and theirs.noise.digest)


def first_step(ours: Sequence[StepRecord], theirs: Sequence[StepRecord]) -> int | None:
    """Return the number of the first step that differs, from 1; None if none does."""
    for number, (a, b) in enumerate(zip(ours, theirs, strict=False), 1):
        if a.digest != b.digest or differ(a.timestep, b.timestep):
            return number
    return None if len(ours) == len(theirs) else min(len(ours), len(theirs)) + 1


def differ(one: float | None, other: float | None) -> bool:
    """Whether two values are known to differ."""
    return None not in {one, other} and one != other
