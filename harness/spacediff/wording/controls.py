"""Controls: comparisons whose outcome is known beforehand, and what they found."""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.record import Control, ControlRecord, FactKind
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import counted, duration, start
from spacediff.wording.vocabulary import says

_NAMES: Mapping[str, str] = {
    Control.ITSELF: "the reference compared with itself",
    Control.RERUN: "a re-run of the baseline",
    Control.SEED: "a different seed",
}
_EXPECTED: Mapping[str, str] = {
    Control.ITSELF: "has to be identical",
    Control.RERUN: "has to be closer than a different seed",
    Control.SEED: "has to differ from the reference and from the baseline",
}


def control_expectation(control: ControlRecord) -> str:
    """Say what a control has to be: `A re-run of the baseline has to be closer than a different seed`."""
    return start(_expectation(control.control, control.run))


def control_name(control: ControlRecord) -> str:
    """Name a control: `a different seed (seed-43)`."""
    return _name(control.control, control.run)


def _name(control: str, run: str) -> str:
    return f"{_NAMES.get(control, control)}{f' ({run})' if run else ''}"


def _expectation(control: str, run: str) -> str:
    return f"{_name(control, run)} {_EXPECTED.get(control, 'has to pass')}"


@says(FactKind.RERUN_EQUAL)
def _rerun_equal() -> str:
    return "It equals the baseline, byte for byte."


@says(FactKind.RERUN_DIFFERS)
def _rerun_differs() -> str:
    return "It differs from the baseline"


@says(FactKind.METRIC_VALUE)
def _metric_value(*, metric: str, value: float, unit: str) -> str:
    return f"{metric} {value:.4g} {unit}".rstrip() + "."


@says(FactKind.SEED_IGNORED)
def _seed_ignored() -> str:
    return "It gives the baseline's own pixels, so the seed has no effect."


@says(FactKind.SEED_RANDOMISED)
def _seed_randomised(*, space: str, input: str, sent: bool, reported: bool) -> str:  # noqa: A002 - the value's name
    why = "which the scenario switches on" if sent else "which is on unless the scenario switches it off"
    draws = f"The Space {space} draws a seed of its own because of its input {input}, {why}"
    if reported:
        return f"{draws}. Unless reference.adopt is false, the runs here use the seed that it reports."
    return (
        f"{draws}: no setting can reproduce its {nouns().clip}. Set {input} = false among reference.space.inputs, name "
        "the output with the seed that it used (outputs.seed), or compare groups: samples = 8."
    )


@says(FactKind.LONG_CLIP)
def _long_clip(*, file: str, frames: int, seconds: float) -> str:
    return (
        f"{file} has {frames:,} {nouns().frames}: decoding, aligning and scoring them takes about {duration(seconds)}. "
        "In a comparison of two files, max_frames takes only the first ones."
    )


@says(FactKind.PROGRAM_RUNS)
def _program_runs(*, command: str, folder: str, again: int) -> str:
    more = f", and {counted(again, 'time')} more with other values of its placeholders" if again else ""
    return f"The scenario names a program, which this audit runs in {folder}: {command} (not through a shell){more}."


_READS = {
    "epsilon": "noise",
    "v_prediction": "velocity",
    "sample": "the clean sample",
    "flow_prediction": "the flow of flow matching",
}


@says(FactKind.SCHEDULER_NOT_SERVED)
def _scheduler_not_served(*, run: str, scheduler: str, reads: str, predicts: str) -> str:
    ours, theirs = (_READS.get(each, each) for each in (reads, predicts))
    return (
        f"{_of_run(run)}{scheduler} reads the model's prediction as {ours}, but the checkpoint's own scheduler as "
        f"{theirs}: the pictures will be wrong unless the model was trained for both."
    )


@says(FactKind.NOISE_NOT_SCALED)
def _noise_not_scaled(*, run: str, scheduler: str, pipeline: str, scale: float) -> str:
    return (
        f"{_of_run(run)}{scheduler} starts from noise of the scale {scale:.3g}, but {pipeline} does not scale the "
        "noise: the pictures will be wrong."
    )


@says(FactKind.MODEL_INPUT_NOT_SCALED)
def _model_input_not_scaled(*, run: str, scheduler: str, pipeline: str) -> str:
    return (
        f"{_of_run(run)}{scheduler} scales the input of the model, but {pipeline} does not ask it to: the model sees "
        "latents out of range."
    )


@says(FactKind.SCHEDULER_LACKS)
def _scheduler_lacks(*, run: str, scheduler: str, pipeline: str, attribute: str) -> str:
    return f"{_of_run(run)}{pipeline} uses {attribute} of its scheduler, which {scheduler} does not have: it may fail."


def _of_run(run: str) -> str:
    return f"{run}: " if run else ""


@says(FactKind.SEEDS_NOT_COMPARED)
def _seeds_not_compared(*, seeds: int) -> str:
    return f"None of {seeds} could be compared." if seeds > 1 else "It could not be compared."


@says(FactKind.SEEDS_NOT_PUT_IN)
def _seeds_not_put_in(*, prompt: str, reason: str) -> str:
    return f"{prompt}: no other seed could be compared, so no drift is known: {reason}"


@says(FactKind.CONTROL_FAILED)
def _control_failed(*, prompt: str, control: str, run: str) -> str:
    return f"{prompt}: a control failed: {_expectation(control, run)}; found"
