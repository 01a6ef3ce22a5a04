"""Plots over the steps of a loop: which curves there are, and the rows that the page draws them from.

The key insight: most runs of an audit do the same inside the loop. Curves that coincide are one curve with many names,
and the rest are few enough to distinguish.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from spacediff.reporting.axes import Axis
from spacediff.reporting.palette import CONTROL, CURVES, DASHES

_MANY = 6
"""So many names are too many for a legend; the table has them all."""


@dataclass(frozen=True)
class Series:
    """What one run shows, step by step.

    Attributes:
        name: The run's name, or what the series is.
        values: One for each step; None where there is none.
        control: Whether it only gives a scale.
    """

    name: str
    values: list[float | None]
    control: bool = False


@dataclass(frozen=True)
class Curve:
    """One curve, for all runs that share it.

    Attributes:
        names: The runs.
        label: The runs in short.
        shown: The value at each step, as text.
        values: The value at each step.
        look: Its number among the curves that are distinguishable; None for a control.
    """

    names: list[str]
    label: str
    shown: list[str]
    values: list[float | None]
    look: int | None

    @property
    def colour(self) -> int:
        """Number of its colour."""
        return CONTROL if self.look is None else self.look % CURVES

    @property
    def dash(self) -> int:
        """Number of its dash."""
        return CONTROL if self.look is None else self.look % len(DASHES)


@dataclass(frozen=True)
class Plot:
    """A plot over steps.

    Attributes:
        steps: The step numbers, 0 being the state before the first.
        axis: The axis of all values.
        curves: The curves, controls last.
    """

    steps: list[int]
    axis: Axis
    curves: list[Curve]

    @property
    def logarithmic(self) -> bool:
        """Whether its axis is."""
        return self.axis.unit is not None

    @property
    def drawn(self) -> dict[str, Any]:
        """What the page draws: the kind of chart, the runs of each curve, and the rows, the first curve on top."""
        unit = self.axis.unit or 1.0
        return {
            "kind": "logarithmic" if self.logarithmic else "linear",
            "runs": [curve.names for curve in self.curves],
            "signals": {
                "first": self.steps[0],
                "last": self.steps[-1],
                "low": self.axis.low / unit,
                "high": self.axis.high / unit,
                "ticks": [v / unit for v, _ in self.axis.ticks],
                "labels": [text for _, text in self.axis.ticks],
            },
            "rows": [
                {"curve": n, "colour": curve.colour, "dash": curve.dash, "step": step, "value": _drawable(v, unit)}
                for n, curve in reversed(list(enumerate(self.curves)))
                for step, v in zip(self.steps, curve.values, strict=True)
            ],
        }

    @property
    def distinguishable(self) -> list[Curve]:
        """The curves that have a look of their own."""
        return [curve for curve in self.curves if curve.look is not None]

    @property
    def controls(self) -> list[str]:
        """Names of the runs whose curves only give a scale."""
        return [name for curve in self.curves if curve.look is None for name in curve.names]


def plot(
    series: Iterable[Series], axis_of: Callable[[list[float]], Axis], text: Callable[[float], str], *, first: int
) -> Plot | None:
    """Return the plot of some series; None where no value can be drawn.

    Args:
        series: The series; those without any value are left out.
        axis_of: Makes the axis of all finite values.
        text: Writes a value.
        first: Step number of the first value.
    """
    drawn = [each for each in series if any(v is not None for v in each.values)]
    if not drawn:
        return None
    axis = axis_of([v for each in drawn for v in each.values if v is not None and math.isfinite(v)])
    count = max(len(each.values) for each in drawn)
    steps = list(range(first, first + count))
    groups = _coinciding(drawn)
    return Plot(
        steps=steps,
        axis=axis,
        curves=[
            _curve(group, look, text, count=count, label=_label(group, groups)) for look, group in enumerate(groups)
        ],
    )


def _coinciding(series: list[Series]) -> list[list[Series]]:
    """Put series with equal values together; groups of controls come last."""
    groups: dict[tuple[float | None, ...], list[Series]] = {}
    for each in series:
        groups.setdefault(tuple(each.values), []).append(each)
    return sorted(groups.values(), key=_only_controls)


def _only_controls(group: list[Series]) -> bool:
    return all(each.control for each in group)


def _label(group: list[Series], groups: list[list[Series]]) -> str:
    """Name the runs of a curve; of many only the first."""
    if len(group) < _MANY:
        return ", ".join(each.name for each in group)
    if len(groups) == 1:
        return f"all {len(group)} runs"
    return f"{group[0].name} and {len(group) - 1} more"


def _drawable(v: float | None, unit: float) -> float | None:
    return v / unit if v is not None and math.isfinite(v) else None


def _curve(group: list[Series], look: int, text: Callable[[float], str], *, count: int, label: str) -> Curve:
    values = [*group[0].values, *[None] * (count - len(group[0].values))]
    return Curve(
        names=[each.name for each in group],
        label=label,
        shown=["–" if v is None else text(v) for v in values],  # noqa: RUF001
        values=values,
        look=None if _only_controls(group) else look,
    )
