"""Axes: which range a chart shows, and where its ticks are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_MANY = 20.0
"""From this ratio of the largest to the smallest value on, small values cannot be read from a linear axis."""

_SMALLEST = 1e-300
"""A smaller value is drawn as zero: its logarithm, or a step between two of them, may not be a number."""
_UNIT = 0.5
"""A logarithmic axis counts in so much of its lowest mark: below that it is about linear, down to zero."""


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        ticks: Values with their texts, in rising order; a zero below a logarithmic axis is one.
        unit: What a logarithmic axis, log(1 + value / unit), counts in; None for a linear one.
    """

    low: float
    high: float
    ticks: list[tuple[float, str]]
    unit: float | None = None


def linear(finite: list[float], text: Callable[[float], str] | None = None) -> Axis:
    """Return an axis with round numbers at its ends that contains all values; `text` writes its ticks."""
    finite = [0.0 if abs(v) < _SMALLEST else v for v in finite]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    step = _round_step((high - low or abs(high) or 1.0) / 4)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    first -= low == high != 0  # a level line runs in the middle; at zero it is the edge
    decimals = max(0, -math.floor(math.log10(step)))

    def written(v: float) -> str:
        return f"{v:.{decimals}f}".replace("-", "−")  # noqa: RUF001 - a minus sign

    ticks = [(n * step, (text or written)(n * step)) for n in range(first, last + 1)]
    return Axis(first * step, last * step, ticks)


def from_zero(values: list[float], text: Callable[[float], str], *, readable: float | None = None) -> Axis:
    """Return an axis for values that are zero or more: logarithmic where a linear one could not be read.

    Args:
        values: What it has to contain.
        text: Writes its ticks.
        readable: The value that has to be distinguishable from zero; the smallest when None.
    """
    positive = [v for v in values if v >= _SMALLEST]
    if not positive or max(positive) < _MANY * (readable or min(positive)):
        return linear([0.0, *positive], text)
    marks = _round_numbers(min(positive), max(positive))
    decades = [v for v in marks if round(math.log10(v), 6).is_integer()]
    shown = decades if len(decades) > 2 else marks  # noqa: PLR2004 - two ticks do not make a scale
    zero = [(0.0, text(0.0))] if len(positive) < len(values) else []
    ticks = [*zero, *((v, text(v)) for v in shown)]
    return Axis(0.0 if zero else marks[0], marks[-1], ticks, unit=_UNIT * marks[0])


def _round_step(step: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, … at or above a step."""
    unit = 10.0 ** math.floor(math.log10(step))
    return next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= step * (1 - 1e-9))


def _round_numbers(low: float, high: float) -> list[float]:
    """Return 1, 2, 5, 10, 20, … from the last at or below the low value to the first at or above the high one."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = [float(f"{factor}e{power}") for power in powers for factor in (1, 2, 5)]
    first = max(n for n in numbers if n <= low)
    last = min(n for n in numbers if n >= high)
    return [n for n in numbers if first <= n <= last]
