"""Controls: comparisons whose outcome is known beforehand, and what they found."""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.record import Control, ControlRecord, FactKind
from spacediff.wording.numbers import start
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
    return "It gives the baseline's own frames, so the seed has no effect."


@says(FactKind.SEEDS_NOT_COMPARED)
def _seeds_not_compared(*, seeds: int) -> str:
    return f"None of {seeds} could be compared." if seeds > 1 else "It could not be compared."


@says(FactKind.CONTROL_FAILED)
def _control_failed(*, prompt: str, control: str, run: str) -> str:
    return f"{prompt}: a control failed: {_expectation(control, run)}; found"
