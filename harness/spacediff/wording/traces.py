"""Traces: where two generations first diverge, and what differs there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spacediff.record import FactKind, LoopReferenceRecord, Stage, TraceComparisonRecord, TransplantRecord
from spacediff.wording.nouns import nouns
from spacediff.wording.vocabulary import says, sentences

_CONDITIONS = {
    "inputs": "number of encoded inputs",
    "shape": "shape of the noise",
    "dtype": "dtype of the noise",
    "device": "device of the noise",
    "steps": "number of steps",
    "timestep": "timestep",
    "guidance": "guidance scale",
    "embedded-guidance": "guidance scale given to the model",
    "guidance-range": "range of the guidance scale over the frames",
    "predictions": "number of predictions that a step combines",
}
_NO_GUIDANCE = {"guidance", "embedded-guidance", "guidance-range"}
_UNOBSERVED = {
    "text": "the text embeddings",
    "inputs": "the encoding of the input pictures",
    "noise": "the initial noise",
    "steps": "the steps",
    "decoding": "the decoding",
    "frames": "the frames",
}
_PLACES = {
    Stage.NOWHERE: "Identical in every stage.",
    Stage.TEXT: "The text embeddings differ.",
    Stage.INPUT: "The encoding of the input pictures differs.",
    Stage.NOISE: "The initial noise differs, so no step can agree.",
    Stage.ENCODING: "Identical up to the decoded pictures; the files are written differently.",
}


def loop_reference_text(compared: LoopReferenceRecord) -> str:
    """Say which run the traces of a prompt are compared with, and why that one."""
    said = f"Each run is compared with {compared.run}, stage by stage: "
    if compared.role == "reference":
        return f"{said}it is the reference{', and was generated here' if compared.here else ''}."
    clip = nouns()
    silent = clip.there if compared.hosted else "the file of the reference"
    because = f"{silent} does not show how its {clip.clip} {clip.verb('was', 'were')} made, and"
    if compared.role == "stand-in":
        return f"{said}{because} this run reproduces {clip.that} ({compared.verdict}), so it replaces the reference."
    return f"{said}{because} no local run reproduces {clip.that}, so the baseline replaces the reference."


def trace_text(trace: TraceComparisonRecord) -> str:
    """Say where a run first diverges from the run that it is compared with, and what differs there."""
    return " ".join([_where(trace), *sentences(trace.differing), *_growth(trace)])


def _where(trace: TraceComparisonRecord) -> str:
    if trace.stage is Stage.NOWHERE and trace.unobserved:
        missing = ", ".join(_UNOBSERVED.get(name, name) for name in trace.unobserved)
        most = "every stage but one" if trace.differing else "every stage"
        return f"Identical in {most} that was observed; not observed: {missing}."
    if trace.stage is Stage.NOWHERE and trace.differing:
        return "Identical in every stage but one."
    if trace.stage is Stage.UNOBSERVED:
        return _unobserved(trace)
    if trace.stage is Stage.DECODING:
        return f"Identical through all {trace.steps} steps; the VAE decodes them differently."
    if trace.stage in _PLACES:
        return _PLACES[trace.stage]
    number = trace.step or 1
    of = f" of {trace.steps}" if trace.steps else ""
    return "Differs from the first step on." if number == 1 else f"Identical up to step {number - 1}{of}."


_STAGES = {
    Stage.TEXT: "text embeddings",
    Stage.NOISE: "initial noise",
    Stage.DECODING: "decoding",
}


def transplant_text(found: Sequence[TransplantRecord], steps: int = 0) -> str:
    """Say what each stage of a run made of a recording's tensors, where the two sides differ, and what is not known.

    Args:
        found: What came of each stage that was compared.
        steps: How many steps the run has; 0 when that is unknown.
    """
    listed_stages = "; ".join(f"{_stage(each)}: {_made(each)}" for each in found)
    differing = [_stage(each) for each in found if not each.equal]
    ends = (
        f"The difference is made in: {', '.join(differing)}."
        if differing
        else "None of these stages makes a difference."
    )
    absent = _not_compared(found, steps)
    left = f" Not compared: {', '.join(absent)}." if absent else ""
    return f"The stages listed were given the recording's tensors. {ends} In order, {listed_stages}.{left}"


def _not_compared(found: Sequence[TransplantRecord], steps: int) -> list[str]:
    seen = {each.stage for each in found}
    last = max((each.last or 0 for each in found), default=0)
    rest = [_steps(last + 1, steps)] if last < steps else []
    before, decoding = [Stage.TEXT, Stage.NOISE], [Stage.DECODING]
    return [
        *(_STAGES[stage] for stage in before if stage not in seen),
        *rest,
        *(_STAGES[stage] for stage in decoding if stage not in seen),
    ]


def _steps(first: int | None, last: int | None) -> str:
    return f"step {last}" if first == last else f"steps {first} to {last}"


def _stage(found: TransplantRecord) -> str:
    if found.stage is not Stage.STEP:
        return _STAGES.get(found.stage, str(found.stage))
    return _steps(found.first, found.last)


def _made(found: TransplantRecord) -> str:
    if found.equal:
        return "identical"
    if found.distance is None:
        return "different"
    if found.stage is Stage.DECODING:
        return f"different, by at most {found.distance:.0f} of 255 levels"
    return f"different by {100 * found.distance:.2g} %"


def _unobserved(trace: TraceComparisonRecord) -> str:
    if "steps" in trace.unobserved:
        return (
            "The steps were not observed, so it is unknown whether the denoising or a later stage makes the difference."
        )
    return f"Identical through all {trace.steps} steps; the decoding was not observed, and the pictures differ."


def _growth(trace: TraceComparisonRecord) -> list[str]:
    """Say how far the latents are at the first step that differs, and at the end."""
    if trace.stage is not Stage.STEP:
        return []
    if trace.scalings is not None and not trace.distances:
        return [
            "The schedulers scale the latents differently ({} and {}), so these cannot be compared.".format(
                *trace.scalings
            )
        ]
    number = trace.step or 1
    there = trace.distances[number] if number < len(trace.distances) else None
    if there is None:
        return []
    end = trace.distances[-1]
    said = _about if trace.estimated else _exactly
    grown = f", and by {said(end)} after the last" if end is not None and number < len(trace.distances) - 1 else ""
    scaled = "" if trace.scalings is None else ", each divided by its share of the clean sample,"
    return [f"The latents{scaled} differ by {said(there)} after this step{grown}."]


def _exactly(distance: float) -> str:
    return f"{distance:.2%}"


def _about(distance: float) -> str:
    """Write an estimated distance, with as many digits as it has."""
    return f"about {100 * distance:.2g} %"


@says(FactKind.DECODED_BELOW_A_LEVEL)
def _decoded_below_a_level() -> str:
    return "The VAE's output differs, but by too little to change a level of the pictures."


@says(FactKind.DECODED_EQUAL_ONCE_ENCODED)
def _decoded_equal_once_encoded() -> str:
    return "The VAE's output differs; once encoded, the pictures are the same."


@says(FactKind.CONDITION_DIFFERS)
def _condition_differs(*, name: str, reference: Any, candidate: Any) -> str:
    absent = "none" if name in _NO_GUIDANCE else "unknown"
    values = (_short(value, absent) for value in (candidate, reference))
    return "The {} is {} instead of {}.".format(_CONDITIONS.get(name, name), *values)


@says(FactKind.NOISE_OF_SEED)
def _noise_of_seed(*, seed: int, device: str, dtype: str, older: bool, arrangement: str, draw: int, exact: bool) -> str:
    where = "the CPU" if device == "cpu" else "CUDA"
    by = " by torch 2.11 or older" if older else ""
    how = {
        "swapped": ", with the axes of channels and frames in the other order",
        "items": ", each picture or video with a generator of its own, whose seeds count up",
    }.get(arrangement, "")
    near = "" if exact else ", up to rounding"
    return f"The initial noise is that of seed {seed}, drawn on {where} in {dtype}{by}{how}, {_ordinal(draw)}{near}."


@says(FactKind.NOISE_OF_NO_USUAL_SEED)
def _noise_of_no_usual_seed() -> str:
    return "The initial noise is of none of the usual seeds and ways of drawing that were tried."


@says(FactKind.NOISE_NOT_TRIED)
def _noise_not_tried() -> str:
    return "No seed was tried for the initial noise: none of its size, dtype and device can be drawn again here."


def _ordinal(draw: int) -> str:
    return "the first draw" if draw == 1 else f"draw {draw} of this size"


@says(FactKind.UNOBSERVED_BEFORE)
def _unobserved_before(*, names: Sequence[str]) -> str:
    what = " and ".join(_UNOBSERVED.get(name, name) for name in names)
    return f"Not observed before it: {what}, which may differ already."


@says(FactKind.SCHEDULER_NOISE_DIFFERS)
def _scheduler_noise_differs(*, reference: bool, candidate: bool) -> str:
    if reference and candidate:
        return "The scheduler draws different noise."
    return "Only this run's scheduler draws noise." if candidate else "Only the other run's scheduler draws noise."


def _short(value: Any, absent: str) -> str:
    if value is None:
        return absent
    if isinstance(value, list | tuple):
        return " to ".join(_short(each, absent) for each in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
