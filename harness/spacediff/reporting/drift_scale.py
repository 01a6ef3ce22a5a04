"""The drift scale: an axis from the re-run to the largest drift, with a mark for each run, and the other seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from spacediff.record import ComparisonRecord
from spacediff.reporting.axes import Axis, linear

_MARGIN = 3.0
"""Per cent of the width left free at either end, so that a mark there is whole."""

_NEAR = 3.4
"""Marks that are closer than so many per cent of the width are stacked."""


@dataclass(frozen=True)
class Mark:
    """One run on the scale.

    Attributes:
        name: Its name.
        drift: Where it stands.
        level: 0 on the axis, 1 above a mark at the same place, and so on.
    """

    name: str
    drift: float
    level: int


@dataclass(frozen=True)
class DriftScale:
    """The scale of one prompt, or of one comparison.

    Attributes:
        axis: From a re-run, or below, to the largest value.
        marks: A mark for each run with a drift, from the smallest.
        seeds: The lowest and highest drift of other seeds; None where there is none.
        limit: The gate's; None where it has none.
    """

    axis: Axis
    marks: list[Mark]
    seeds: tuple[float, float] | None = None
    limit: float | None = None

    def place(self, drift: float) -> str:
        """Return where a drift stands, in per cent of the width."""
        return f"{_percent(self.axis, drift):.2f}%"

    @property
    def levels(self) -> int:
        """How many marks are stacked at most, less one."""
        return max((mark.level for mark in self.marks), default=0)


def drift_scale(drifts: Mapping[str, float], seeds: Iterable[float] = (), limit: float | None = None) -> DriftScale:
    """Arrange drifts on an axis that contains all of them, the other seeds and the gate's limit.

    Args:
        drifts: Name of a run to its drift, where 0 is a re-run and 1 a different seed; infinite ones have no place.
        seeds: The drifts of other seeds.
        limit: The gate's.
    """
    finite = {name: drift for name, drift in drifts.items() if math.isfinite(drift)}
    others = [drift for drift in seeds if math.isfinite(drift)]
    axis = linear([0.0, 1.0, *finite.values(), *others, *([] if limit is None else [limit])])
    marks: list[Mark] = []
    for name, drift in sorted(finite.items(), key=lambda item: item[1]):
        before = marks[-1] if marks else None
        stacked = before is not None and _percent(axis, drift) - _percent(axis, before.drift) < _NEAR
        marks.append(Mark(name, drift, before.level + 1 if before is not None and stacked else 0))
    return DriftScale(axis, marks, (min(others), max(others)) if others else None, limit)


def metric_scale(found: ComparisonRecord) -> DriftScale:
    """Return one axis for the drifts of all metrics of a comparison and of its worst tile, and for the codec's loss."""
    both = ((name, metric.drift, metric.codec_drift) for name, metric in found.metrics.items())
    values = {f"{name} {side}": v for name, *drifts in both for side, v in enumerate(drifts) if v is not None}
    tile = found.worst_tile
    return drift_scale(values | ({"worst tile": tile.drift} if tile and tile.drift is not None else {}))


def _percent(axis: Axis, drift: float) -> float:
    return _MARGIN + (100 - 2 * _MARGIN) * (drift - axis.low) / (axis.high - axis.low)
