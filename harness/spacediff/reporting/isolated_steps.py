"""Isolated steps: runs whose every step was given another run's latents, so that a step shows only its own error."""

from __future__ import annotations

from dataclasses import dataclass

from spacediff.record import IsolatedStepsRecord, RunRecord, TraceComparisonRecord
from spacediff.reporting.axes import from_zero
from spacediff.reporting.plots import Plot, Series, plot
from spacediff.wording.numbers import listed, percent, round_percent

_FEW, _FEW_OF_MANY = 3, 0.25
"""Naming more steps than these, or than this share of them, would say nothing."""

OWN = "own error"
ACCUMULATED = "accumulated distance"


@dataclass(frozen=True)
class StepRow:
    """One step: number, own error, its share of the sum, and the distance that the variant has by then."""

    number: int
    own: str
    share: str
    whole: str


@dataclass(frozen=True)
class IsolatedSteps:
    """One run of this kind.

    Attributes:
        variant: The run whose steps these are.
        fed: The run whose latents were given.
        reason: Why it was not measured; empty when it was.
        hint: What to do about it.
        most: Which steps make most of the sum, in a sentence; empty when no step has an error.
        plot: Own errors and whole distances.
        rows: The same as numbers.
        other: The run that the whole distances were measured from, where that is another one than `fed`, so that they
            cannot be shown with the own errors; else empty.
    """

    variant: str
    fed: str
    reason: str
    hint: str
    most: str
    plot: Plot | None
    rows: list[StepRow]
    other: str


def isolated_steps_view(
    found: IsolatedStepsRecord, run: RunRecord, trace: TraceComparisonRecord | None
) -> IsolatedSteps:
    """Return what the page shows of a run whose steps were isolated.

    Args:
        found: What the record says of it.
        run: The run.
        trace: The trace comparison of the variant whose steps these are; None where there is none.
    """
    errors = run.trace.own_errors if run.trace else []
    whole = list(trace.distances[1:]) if trace is not None and not found.other else []
    return IsolatedSteps(
        variant=found.variant,
        fed=run.fed_by,
        reason=run.reason,
        hint=run.hint,
        most=most_of(found),
        plot=plot(
            [Series(OWN, list(errors)), Series(ACCUMULATED, whole)],
            lambda values: from_zero(values, round_percent, readable=max(errors)),
            percent,
            first=1,
        )
        if errors
        else None,
        rows=_rows(errors, found.shares, whole),
        other=found.other,
    )


def most_of(found: IsolatedStepsRecord) -> str:
    """Say which steps make most of the sum of own errors; empty when there is none."""
    if not found.largest:
        return ""
    count, whole = len(found.largest), len(found.shares)
    if count > max(_FEW, _FEW_OF_MANY * whole):
        first = found.largest[0]
        return (
            f"No few steps dominate: half of the sum of own errors comes from {count} of {whole} steps; "
            f"the largest, step {first}, contributes {percent(found.shares[first - 1])}."
        )
    contribute = "Step {} of {} contributes" if count == 1 else "Steps {} of {} contribute"
    steps = contribute.format(_stretches(sorted(found.largest)), whole)
    return f"{steps} {percent(found.largest_share)} of the sum of own errors."


def _rows(errors: list[float], shares: list[float], whole: list[float | None]) -> list[StepRow]:
    def at(values: list[float] | list[float | None], n: int) -> str:
        v = values[n] if n < len(values) else None
        return "–" if v is None else percent(v)  # noqa: RUF001 - an en dash means none

    return [StepRow(n + 1, percent(own), at(shares, n), at(whole, n)) for n, own in enumerate(errors)]


def _stretches(numbers: list[int]) -> str:
    """Write numbers, neighbours as ranges: `3`, `1 to 4 and 7`."""
    stretches: list[list[int]] = []
    for number in numbers:
        if stretches and number == stretches[-1][-1] + 1:
            stretches[-1].append(number)
        else:
            stretches.append([number])
    return listed([part for stretch in stretches for part in _written(stretch)])


def _written(stretch: list[int]) -> list[str]:
    if len(stretch) > 2:  # noqa: PLR2004 - two are no range
        return [f"{stretch[0]} to {stretch[-1]}"]
    return [str(number) for number in stretch]
