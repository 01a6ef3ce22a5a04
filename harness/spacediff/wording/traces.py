"""Traces: where two generations first diverge, and what differs there."""

from __future__ import annotations

from typing import Any

from spacediff.record import FactKind, LoopReferenceRecord, Stage, TraceComparisonRecord
from spacediff.wording.vocabulary import says, sentences

_CONDITIONS = {
    "shape": "shape of the noise",
    "dtype": "dtype of the noise",
    "device": "device of the noise",
    "steps": "number of steps",
    "timestep": "timestep",
    "guidance": "guidance scale",
}


def loop_reference_text(compared: LoopReferenceRecord) -> str:
    """Say which run the traces of a prompt are compared with, and why that one."""
    said = f"Each run is compared with {compared.run}, stage by stage: "
    if compared.role == "reference":
        return f"{said}it is the reference, and was generated here."
    silent = "the Space" if compared.hosted else "the file of the reference"
    because = f"{silent} does not show how its clip was made, and"
    if compared.role == "stand-in":
        return f"{said}{because} this run reproduces that clip ({compared.verdict}), so it replaces the reference."
    return f"{said}{because} no local run reproduces that clip, so the baseline replaces the reference."


def trace_text(trace: TraceComparisonRecord) -> str:
    """Say where a run first diverges from the run that it is compared with, and what differs there."""
    return " ".join([_where(trace), *sentences(trace.differing), *_growth(trace)])


def _where(trace: TraceComparisonRecord) -> str:
    match trace.stage:
        case Stage.NOWHERE:
            return "Identical in every stage."
        case Stage.TEXT:
            return "The text embeddings differ."
        case Stage.NOISE:
            return "The initial noise differs, so no step can agree."
        case Stage.DECODING:
            return f"Identical through all {trace.steps} steps; the VAE decodes them differently."
        case Stage.ENCODING:
            return "Identical up to the decoded pictures; the files are written differently."
    number = trace.step or 1
    of = f" of {trace.steps}" if trace.steps else ""
    return "Differs from the first step on." if number == 1 else f"Identical up to step {number - 1}{of}."


def _growth(trace: TraceComparisonRecord) -> list[str]:
    """Say how far the latents are at the first step that differs, and at the end."""
    if trace.stage is not Stage.STEP:
        return []
    number = trace.step or 1
    there = trace.distances[number] if number < len(trace.distances) else None
    if there is None:
        return []
    end = trace.distances[-1]
    grown = f", and by {end:.2%} after the last" if end is not None and number < len(trace.distances) - 1 else ""
    return [f"The latents differ by {there:.2%} after this step{grown}."]


@says(FactKind.CONDITION_DIFFERS)
def _condition_differs(*, name: str, reference: Any, candidate: Any) -> str:
    return f"The {_CONDITIONS.get(name, name)} is {_short(candidate)} instead of {_short(reference)}."


@says(FactKind.SCHEDULER_NOISE_DIFFERS)
def _scheduler_noise_differs(*, reference: bool, candidate: bool) -> str:
    if reference and candidate:
        return "The scheduler draws different noise."
    return "Only this run's scheduler draws noise." if candidate else "Only the other run's scheduler draws noise."


def _short(value: Any) -> str:
    if value is None:
        return "unknown"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
