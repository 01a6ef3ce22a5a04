"""Runs compared step by step: those that ended early, and how far re-runs of a machine are apart."""

from __future__ import annotations

from spacediff.record import DeterminismRecord, SpreadRecord, StoppedRecord
from spacediff.wording.numbers import counted, number

_DIGITS = 2


def stopped_text(stopped: StoppedRecord) -> str:
    """Say where a run ended and how far its latents were from the target's."""
    where = f"stopped at step {stopped.step} of {stopped.steps}"
    if stopped.is_equal:
        return f"{where}, all latents equal bitwise"
    if stopped.first is None:
        return f"{where}, latents equal bitwise so far"
    return f"{where}, {_far(stopped)}"


def spread_text(spread: SpreadRecord) -> str:
    """Say how far a machine's own re-runs are apart, and that no setting is blamed for it."""
    if not spread.limits:
        return "This machine does not repeat itself bit for bit; without latents it is unknown how far re-runs differ."
    if not any(spread.limits):
        return (
            f"This machine does not repeat itself bit for bit, although {counted(spread.reruns, 're-run')} of the "
            f"first {counted(len(spread.limits), 'step')} came out equal. What differs only later and cannot be seen "
            "says nothing about a setting."
        )
    limits = " and ".join(f"{limit:.1g} after step {step}" for step, limit in enumerate(spread.limits, 1))
    return (
        f"This machine does not repeat itself bit for bit: {spread.reruns} re-runs of the first steps differ. A run "
        f"whose latents differ by no more than {limits}, relative to their norm, says nothing about its settings; "
        f"one in {1 / spread.false_alarms:,.0f} runs without any change differs by more."
    )


def determinism_text(found: DeterminismRecord) -> str:
    """Say whether deterministic algorithms make a machine repeat itself."""
    if found.equal:
        steps = f"the latents of {counted(found.steps, 'step')} and " if found.steps else ""
        return (
            f"With deterministic algorithms, two runs of the baseline are equal bit for bit, in {steps}every pixel: "
            "the spread goes to zero with numerics.deterministic = true."
        )
    if found.equal is False:
        where = f", from step {found.first} on" if found.first else ", but only in the decoded pixels"
        where = where if found.steps else ""
        return f"With deterministic algorithms, two runs of the baseline differ, too{where}."
    if found.reason:
        reason = found.reason.rstrip(".")
        return f"Whether deterministic algorithms make the baseline repeat itself is unknown: {reason}."
    return (
        "Whether deterministic algorithms make the baseline repeat itself was not tried; "
        "deterministic_control = true in [scale] tries it."
    )


def _far(stopped: StoppedRecord) -> str:
    relative = next((each for each in reversed(stopped.relative) if each is not None), None)
    if relative is not None and relative < stopped.resolution:
        return f"latents different, by less than the kept latents resolve ({stopped.resolution:.1g} of their norm)"
    if stopped.distance is not None:
        return f"latents at {_share(stopped.distance)} of the distance between seeds"
    if relative is not None:
        return f"latents different by {_share(relative)} of their norm"
    return "latents different"


def _share(value: float) -> str:
    """Write a share with two decimals, or with two digits where that would be nothing."""
    return number(value, decimals=_DIGITS) if value >= 10.0**-_DIGITS or value == 0 else f"{value:.1g}"
