"""The guidance scale that loops applied: whether it is the same everywhere, and how it changes inside a loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from spacediff.record.derived.grouping import grouped
from spacediff.record.loop import GuidanceChangeRecord, GuidanceRangeRecord
from spacediff.record.run import RunRecord


def constant_guidance(runs: Iterable[RunRecord]) -> float | None:
    """Return the guidance scale, where it is the same in every step of all runs; else None."""
    values = {scale for run in runs for scale in _applied(run)}
    return values.pop() if len(values) == 1 else None


def guidance_changes(runs: Iterable[RunRecord]) -> list[GuidanceChangeRecord]:
    """Describe the guidance scales that change inside the loop, runs that change alike together."""
    changing = [run for run in runs if len(set(_applied(run))) > 1]
    return [_change(alike) for alike in grouped(changing, _reason)]


def _change(runs: Sequence[RunRecord]) -> GuidanceChangeRecord:
    dynamic, first_timestep, steps, turns = _reason(runs[0])
    return GuidanceChangeRecord(
        ranges=[_range(same) for same in grouped(runs, _scales)],
        dynamic=dynamic,
        first_timestep=first_timestep,
        steps=steps,
        turns=turns,
    )


def _reason(run: RunRecord) -> tuple[bool, float | None, int, int]:
    """Return what a `GuidanceChangeRecord` says of a run, beside the ranges."""
    steps = run.trace.steps if run.trace else []
    first = steps[0].timestep
    setting = run.settings.get("call.use_dynamic_cfg")
    return (
        setting is not None and setting.value is True,
        first if first is not None and first > len(steps) else None,
        len(steps),
        _turns(_applied(run)),
    )


def _range(runs: Sequence[RunRecord]) -> GuidanceRangeRecord:
    values = _applied(runs[0])
    return GuidanceRangeRecord(runs=[run.name for run in runs], low=min(values), high=max(values))


def _turns(values: list[float]) -> int:
    rises = [b > a for a, b in pairwise(values) if a != b]
    return sum(a != b for a, b in pairwise(rises))


def _scales(run: RunRecord) -> tuple[float | None, ...]:
    return tuple(step.applied_guidance for step in run.trace.steps) if run.trace else ()


def _applied(run: RunRecord) -> list[float]:
    return [scale for scale in _scales(run) if scale is not None]
