"""Plots over the steps of a loop, placed and written out, so that the page has only to draw them.

The key insight: most runs of an audit do the same inside the loop. Curves that coincide are one curve with many names,
and what is left is few enough to tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from harness.reporting.axes import Axis
from harness.reporting.text import ngettext

_SIZE = 1000
"""Width and height of the space that the points of a curve are given in."""

_TICKS = 6
"""So many step numbers fit below a plot on a narrow screen."""


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
        lines: The points of each unbroken stretch, as SVG has them.
        look: Number of its colour and dash; None for a control.
    """

    names: list[str]
    label: str
    shown: list[str]
    lines: list[str]
    look: int | None


@dataclass(frozen=True)
class Plot:
    """A plot over steps.

    Attributes:
        steps: The step numbers, 0 being the state before the first.
        ticks_x: Share of the width, and text.
        ticks_y: Share of the height from the top, and text.
        curves: The curves, controls last.
        logarithmic: Whether its axis is.
    """

    steps: list[int]
    ticks_x: list[tuple[str, str]]
    ticks_y: list[tuple[str, str]]
    curves: list[Curve]
    logarithmic: bool

    @property
    def told_apart(self) -> list[Curve]:
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
        ticks_x=[(f"{100 * _across(n - first, count) / _SIZE:.2f}%", str(n)) for n in _tick_numbers(steps)],
        ticks_y=[(f"{100 * (1 - axis.place(v)):.2f}%", shown) for v, shown in axis.ticks],
        curves=[
            _curve(group, look, axis, text, count=count, label=_label(group, groups))
            for look, group in enumerate(groups)
        ],
        logarithmic=axis.logarithmic,
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
    """Name the runs of a curve; when most share one, its name is what the others are not."""
    if len(group) < _MANY:
        return ", ".join(each.name for each in group)
    if group is max(groups, key=len):
        if len(groups) == 1:
            return ngettext("all %(num)s run", "all %(num)s runs", len(group))
        return ngettext("all %(num)s other", "all %(num)s others", len(group))
    return ngettext("%(name)s and %(num)s more", "%(name)s and %(num)s more", len(group) - 1, name=group[0].name)


def _curve(
    group: list[Series], look: int, axis: Axis, text: Callable[[float], str], *, count: int, label: str
) -> Curve:
    values = group[0].values
    return Curve(
        names=[each.name for each in group],
        label=label,
        shown=["–" if v is None else text(v) for v in [*values, *[None] * (count - len(values))]],  # noqa: RUF001
        lines=_lines(values, axis, count),
        look=None if _only_controls(group) else look,
    )


def _lines(values: list[float | None], axis: Axis, count: int) -> list[str]:
    points = [
        "" if v is None or not math.isfinite(v) else f"{_across(n, count):.1f},{_SIZE * (1 - axis.place(v)):.1f}"
        for n, v in enumerate(values)
    ]
    stretches = [list(stretch) for there, stretch in groupby(points, key=bool) if there]
    return [" ".join(stretch * 2 if len(stretch) == 1 else stretch) for stretch in stretches]


def _across(n: int, count: int) -> float:
    """Return how far to the right a step stands, of the whole width."""
    return _SIZE * (n / (count - 1) if count > 1 else 0.5)


def _tick_numbers(steps: list[int]) -> list[int]:
    span = steps[-1] - steps[0]
    apart = next(unit * 10**power for power in range(9) for unit in (1, 2, 5) if span < _TICKS * unit * 10**power)
    return [n for n in steps if n % apart == 0 or n == steps[0]] if apart > 1 else steps
