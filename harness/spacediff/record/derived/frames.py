"""Frames of note: the worst frames of a comparison, and runs whose frames are exactly the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spacediff.metric_info import MetricInfo
from spacediff.record.comparison import ComparisonRecord
from spacediff.record.derived.grouping import grouped
from spacediff.record.run import ASIDE, RunRecord

_FEW = 3
"""Worst frames that are kept for each metric."""


def with_worst_frames(comparison: ComparisonRecord, metrics: Sequence[MetricInfo]) -> ComparisonRecord:
    """Note the worst frames of a comparison for each metric, the earlier one of equals first."""
    found = {
        info.name: comparison.metrics[info.name].model_copy(update={"worst_frames": _worst(comparison, info)})
        for info in metrics
        if info.name in comparison.metrics
    }
    return comparison.model_copy(update={"metrics": comparison.metrics | found})


def _worst(comparison: ComparisonRecord, info: MetricInfo) -> list[int]:
    if comparison.identical:
        return []
    values = comparison.per_frame.get(info.name, [])[: len(comparison.frame_map)]
    farthest = sorted(range(len(values)), key=lambda n: values[n] if info.higher_is_closer else -values[n])
    return [comparison.frame_map[n][0] for n in farthest[:_FEW]]


def twins(runs: Iterable[RunRecord]) -> list[list[str]]:
    """Name the runs of a prompt whose frames are exactly the same, in groups, without probes and isolated steps."""
    shown = [(run.name, run.clip.digest) for run in runs if run.clip and run.role not in ASIDE]
    groups = grouped(shown, lambda each: each[1])
    return [[name for name, _ in group] for group in groups if len(group) > 1]
