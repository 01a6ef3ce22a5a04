"""Each step alone: runs whose every step was fed another run's latents, so that a step shows its own error only."""

from __future__ import annotations

from dataclasses import dataclass

from spacediff.record import Role, RunRecord, TraceComparisonRecord
from spacediff.reporting.axes import from_zero
from spacediff.reporting.numbers import listed, percent, round_percent
from spacediff.reporting.plots import Plot, Series, plot

_ENDING = "-alone"
_MOST = 0.5
"""The steps that are named make this share of the sum of all own errors."""

_FEW, _FEW_OF_MANY = 3, 0.25
"""Naming more steps than these, or than this share of them, would say nothing."""

OWN = "own error"
WHOLE = "distance with all that was passed on"


@dataclass(frozen=True)
class StepRow:
    """One step: number, own error, its share of the sum, and the distance that the variant has by then."""

    number: int
    own: str
    share: str
    whole: str


@dataclass(frozen=True)
class Alone:
    """One run of this kind.

    Attributes:
        name: The run.
        variant: The run whose steps these are.
        fed: The run whose latents were fed.
        reason: Why it was not measured; empty when it was.
        hint: What to do about it.
        most: Which steps make most of the sum, in a sentence; empty when no step has an error.
        plot: Own errors and whole distances.
        rows: The same as numbers.
        other: The run that the whole distances are held against, where that is another one than `fed`, so that they
            cannot stand beside the own errors; else empty.
    """

    name: str
    variant: str
    fed: str
    reason: str
    hint: str
    most: str
    plot: Plot | None
    rows: list[StepRow]
    other: str


def isolated_steps_view(runs: list[RunRecord], found: list[TraceComparisonRecord]) -> list[Alone]:
    """Return the runs of a prompt whose steps stood alone."""
    return [_alone(run, found) for run in runs if run.role is Role.STEPS]


def most_of(errors: list[float]) -> str:
    """Say which steps make most of the sum of own errors; empty when there is none."""
    whole = sum(errors)
    if whole <= 0:
        return ""
    ordered = sorted(range(len(errors)), key=lambda n: -errors[n])
    shares = [sum(errors[n] for n in ordered[: count + 1]) / whole for count in range(len(ordered))]
    count = next((count for count, share in enumerate(shares, 1) if share >= _MOST), len(ordered))
    if count > max(_FEW, _FEW_OF_MANY * len(errors)):
        return (
            f"No few steps make most of it: half of the sum of own errors takes {count} of {len(errors)} steps; "
            f"the largest, step {ordered[0] + 1}, makes {percent(shares[0])}."
        )
    steps = _stretches(sorted(n + 1 for n in ordered[:count]))
    make = f"Step {steps} of {len(errors)} makes" if count == 1 else f"Steps {steps} of {len(errors)} make"
    return f"{make} {percent(shares[count - 1])} of the sum of own errors."


def _alone(run: RunRecord, found: list[TraceComparisonRecord]) -> Alone:
    errors = run.trace.own_errors if run.trace else []
    variant = run.name.removesuffix(_ENDING)
    trace = next((t for t in found if t.candidate == variant), None)
    fits = trace is not None and trace.reference == run.fed_by
    whole = list(trace.distances[1:]) if trace is not None and fits else []
    return Alone(
        name=run.name,
        variant=variant,
        fed=run.fed_by,
        reason=run.reason,
        hint=run.hint,
        most=most_of(errors),
        plot=plot(
            [Series(OWN, list(errors)), Series(WHOLE, whole)],
            lambda values: from_zero(values, round_percent, readable=max(errors)),
            percent,
            first=1,
        )
        if errors
        else None,
        rows=_rows(errors, whole),
        other=trace.reference if trace is not None and not fits else "",
    )


def _rows(errors: list[float], whole: list[float | None]) -> list[StepRow]:
    total = sum(errors)
    distances = [*whole, *[None] * len(errors)][: len(errors)]
    return [
        StepRow(n, percent(own), percent(own / total) if total else "–", "–" if far is None else percent(far))  # noqa: RUF001
        for n, (own, far) in enumerate(zip(errors, distances, strict=True), 1)
    ]


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
