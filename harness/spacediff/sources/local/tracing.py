"""Make the trace of a run for the audit's record from what the observer has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from spacediff.observer.observation import Observation
from spacediff.record import NoiseRecord, StageRecord, StepRecord, TraceRecord


def trace_record(seen: Observation, *, shared: Sequence[str] = (), own_errors: Sequence[float] = ()) -> TraceRecord:
    """Make the record of an observation, without the latents.

    Args:
        seen: What the observer has seen.
        shared: Names of the results that were reused from an earlier run.
        own_errors: For a run with isolated steps, the error of each step.
    """
    noise = seen.noise
    return TraceRecord(
        embeddings=list(seen.embeddings),
        inputs=list(seen.inputs),
        noise=None if noise is None else NoiseRecord(**{**asdict(noise), "shape": list(noise.shape)}),
        steps=[StepRecord(**asdict(step)) for step in seen.steps],
        decoded=seen.decoded,
        decoded_nonfinite=seen.decoded_nonfinite,
        stages=[StageRecord(**asdict(stage)) for stage in seen.stages],
        shared=list(shared),
        own_errors=list(own_errors),
        scaling=seen.scaling,
        unobserved=list(seen.unobserved),
    )
