"""Axes: which range a chart shows, where its ticks stand, and where a value stands between them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_MANY = 20.0
"""From this ratio of the largest to the smallest value on, small values cannot be read from a linear axis."""

_ZERO_LANE = 0.12
"""Share of a logarithmic axis that is left for values that are zero."""


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        ticks: Values with their texts, in rising order; a zero below a logarithmic axis is one.
        logarithmic: Whether equal ratios are equally long.
        lane: Share of the length, at the lower end, where a logarithmic axis holds zeros.
    """

    low: float
    high: float
    ticks: list[tuple[float, str]]
    logarithmic: bool = False
    lane: float = 0.0

    def place(self, v: float) -> float:
        """Return where a value stands, from 0 (low) to 1 (high)."""
        if not self.logarithmic:
            return (v - self.low) / (self.high - self.low)
        if v < self.low:
            return 0.0
        return self.lane + (1 - self.lane) * math.log(v / self.low) / math.log(self.high / self.low)


def linear(finite: list[float], text: Callable[[float], str] | None = None) -> Axis:
    """Return an axis of round numbers that holds all values; `text` writes its ticks."""
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    step = _round_step((high - low or abs(high) or 1.0) / 4)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    decimals = max(0, -math.floor(math.log10(step)))

    def written(v: float) -> str:
        return f"{v:.{decimals}f}".replace("-", "−")  # noqa: RUF001 - a minus sign

    ticks = [(n * step, (text or written)(n * step)) for n in range(first, last + 1)]
    return Axis(first * step, last * step, ticks)


def from_zero(values: list[float], text: Callable[[float], str], *, readable: float | None = None) -> Axis:
    """Return an axis for values that are zero or more: logarithmic where a linear one could not be read.

    Args:
        values: What it has to hold.
        text: Writes its ticks.
        readable: The value that has to be told from zero; the smallest when None.
    """
    positive = [v for v in values if v > 0]
    if not positive or max(positive) < _MANY * (readable or min(positive)):
        return linear([0.0, *positive], text)
    marks = _round_numbers(min(positive), max(positive))
    decades = [v for v in marks if round(math.log10(v), 6).is_integer()]
    shown = decades if len(decades) > 2 else marks  # noqa: PLR2004 - two ticks do not make a scale
    lane = _ZERO_LANE if len(positive) < len(values) else 0.0
    zero = [(0.0, text(0.0))] if lane else []
    return Axis(marks[0], marks[-1], [*zero, *((v, text(v)) for v in shown)], logarithmic=True, lane=lane)


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
