"""The order of a prompt's runs: variants from the closest to the farthest, then those without a score, then controls.

The key insight: variants are ordered by drift where all of them have one, else by the first metric. The two scales are
never mixed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spacediff.metric_info import MetricInfo
from spacediff.record.comparison import ComparisonRecord, RankRecord
from spacediff.record.run import RunRecord


@dataclass(frozen=True)
class Ranking:
    """The order of runs.

    Attributes:
        order: Their names.
        ranks: Name of a scored variant to its place.
    """

    order: list[str]
    ranks: dict[str, RankRecord]


def ranking(
    runs: Sequence[RunRecord], comparisons: Mapping[str, ComparisonRecord], metrics: Sequence[MetricInfo]
) -> Ranking:
    """Order the runs of a prompt.

    Args:
        runs: The runs that are compared with the reference.
        comparisons: Name of a run to its comparison.
        metrics: What was measured; the first one orders where drift cannot.
    """
    scored = {run.name for run in runs if not run.role.control and _has_metrics(comparisons, run.name)}
    by_drift = all(comparisons[name].drift is not None for name in scored)
    distances = {run.name: _distance(comparisons.get(run.name), metrics, by_drift=by_drift) for run in runs}
    ordered = sorted(
        runs, key=lambda run: (run.role.control, not _has_metrics(comparisons, run.name), distances[run.name])
    )
    places = [distances[run.name] for run in ordered if run.name in scored]
    return Ranking(
        [run.name for run in ordered],
        {
            name: RankRecord(place=places.index(distances[name]) + 1, shared=places.count(distances[name]) > 1)
            for name in scored
        },
    )


def _has_metrics(comparisons: Mapping[str, ComparisonRecord], name: str) -> bool:
    return name in comparisons and bool(comparisons[name].metrics)


def _distance(
    comparison: ComparisonRecord | None, metrics: Sequence[MetricInfo], *, by_drift: bool
) -> tuple[float, ...]:
    """Return what orders a run: its drift, then the first metric that it has, each smaller for a closer clip."""
    if comparison is None:
        return (math.inf,)
    pooled = [
        -found.pooled if info.higher_is_closer else found.pooled
        for info in metrics
        if (found := comparison.metrics.get(info.name))
    ]
    first = pooled[:1] or [math.inf]
    return (comparison.drift, *first) if by_drift and comparison.drift is not None else (*first,)
