"""The view: an audit record put in the order in which a reader meets it. Nothing is computed here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from spacediff.record import (
    ASIDE,
    AuditRecord,
    ComparisonRecord,
    MetricInfo,
    MetricRecord,
    PromptRecord,
    Role,
    RunRecord,
    SettingRecord,
    TraceComparisonRecord,
    recorded_settings,
)
from spacediff.reporting.inside import Inside, inside_view
from spacediff.reporting.semantics import Shown, semantics_view
from spacediff.settings import Origin, diff


@dataclass(frozen=True)
class SettingRow:
    """One setting of a run beside the baseline's and the reference's.

    Attributes:
        path: Dotted path.
        own: The run's value; a None is "there is no such setting".
        baseline: The baseline's.
        reference: The reference's.
        as_reference: Whether the run's value is known to be the reference's.
    """

    path: str
    own: SettingRecord | None
    baseline: SettingRecord | None
    reference: SettingRecord | None
    as_reference: bool


@dataclass(frozen=True)
class Row:
    """One run that is held against the reference.

    Attributes:
        run: The run.
        comparison: Its comparison; None when there is none.
        rank: Its place among the scored variants, `2=` where two share it; empty for controls and the unscored.
        twins: Names of all runs with these very frames, its own among them.
        settings: Its settings in groups that are not empty: those `changed` against the baseline, those `apart` from
            the reference though not changed, those `unknown` on a side, and the `same`, with those that one side tells.
        trace: Where it parts from inside; None when that was not looked into.
    """

    run: RunRecord
    comparison: ComparisonRecord | None
    rank: str
    twins: list[str]
    settings: dict[str, list[SettingRow]]
    trace: TraceComparisonRecord | None

    @property
    def twin_of(self) -> str:
        """The first run with these very frames, when that is another one."""
        return self.twins[0] if self.twins and self.twins[0] != self.run.name else ""

    @property
    def scored(self) -> bool:
        """Whether there are numbers to show and to rank by."""
        return self.comparison is not None and bool(self.comparison.metrics)

    @property
    def control(self) -> bool:
        """Whether the run only gives a scale: a re-run, a repeat, another seed."""
        return self.run.role not in {Role.BASELINE, Role.VARIANT}


@dataclass(frozen=True)
class PromptView:
    """Everything about one prompt, in order of display.

    Attributes:
        prompt: The prompt.
        reference: The reference's run, or None.
        baseline: The baseline's row, or None.
        rows: Variants from the closest to the farthest, then the unscored ones, then the controls. Runs whose
            steps stood alone are none of these: they answer another question.
        judged: The row of the gate's variant, or None.
        scale: Metric name to its floor and ceiling, where all comparisons share them.
        first: Name of the run that is selected at the start; empty when there is none.
        inside: What the traces show; None when no run was looked into.
        shown: What the clips show; None when that was not asked.
    """

    prompt: PromptRecord
    reference: RunRecord | None
    baseline: Row | None
    rows: list[Row]
    judged: Row | None
    scale: dict[str, MetricRecord]
    first: str
    inside: Inside | None
    shown: Shown | None

    @property
    def ranked(self) -> list[Row]:
        """The scored variants, closest first."""
        return [row for row in self.rows if row.rank]


def prompt_view(record: AuditRecord, prompt: PromptRecord) -> PromptView:
    """Return what the page shows of one prompt."""
    # a re-run is told as a control: it is held against the baseline, and all shown here against the reference
    runs = [run for run in record.runs if run.prompt == prompt.name and not (run.role is Role.RERUN and run.measured)]
    reference = next((run for run in runs if run.name == record.reference), None)
    baseline = next((run for run in runs if run.role is Role.BASELINE), None)
    against = reference.name if reference else ""
    comparisons = {c.candidate: c for c in record.comparisons if (c.prompt, c.reference) == (prompt.name, against)}
    traces = {trace.candidate: trace for trace in record.traces if trace.prompt == prompt.name}
    rows = [
        Row(
            run=run,
            comparison=comparisons.get(run.name),
            rank="",
            twins=_twins(run, runs),
            settings=_setting_groups(run, baseline, reference),
            trace=traces.get(run.name),
        )
        for run in runs
        if run is not reference and run.role not in ASIDE
    ]
    rows = _ordered(rows, record.metrics)
    names = [row.run.name for row in rows]
    wanted = [baseline.name if baseline else "", record.gate.variant, *names]
    return PromptView(
        prompt=prompt,
        reference=reference,
        baseline=next((row for row in rows if row.run is baseline), None),
        rows=rows,
        judged=next((row for row in rows if row.run.name == record.gate.variant), None),
        scale=_shared_scale(list(comparisons.values()), record.metrics),
        first=next((name for name in wanted if name in names), ""),
        inside=inside_view(record, prompt),
        shown=semantics_view(record, prompt),
    )


def _shared_scale(comparisons: list[ComparisonRecord], metrics: list[MetricInfo]) -> dict[str, MetricRecord]:
    scales = {info.name: [c.metrics[info.name] for c in comparisons if info.name in c.metrics] for info in metrics}
    return {
        name: found[0]
        for name, found in scales.items()
        if len({(scale.floor, scale.ceiling, scale.ceiling_spread) for scale in found}) == 1
    }


def _twins(run: RunRecord, runs: list[RunRecord]) -> list[str]:
    others = [other for other in runs if other.clip and other.role not in ASIDE]
    return [other.name for other in others if other.clip and run.clip and other.clip.digest == run.clip.digest]


def _ordered(rows: list[Row], metrics: list[MetricInfo]) -> list[Row]:
    """Order rows from the closest to the farthest and number the scored variants among them.

    By drift where every comparison has one, else by the first metric: the two scales are not mixed.
    """
    scored = [row for row in rows if row.scored and not row.control]
    by_drift = all(row.comparison and row.comparison.drift is not None for row in scored)
    distances = {row.run.name: _distance(row, metrics, by_drift=by_drift) for row in rows}
    rows = sorted(rows, key=lambda row: (row.control, not row.scored, distances[row.run.name]))
    places = [distances[row.run.name] for row in rows if row.scored and not row.control]
    return [
        replace(row, rank=_rank(places, distances[row.run.name])) if row.scored and not row.control else row
        for row in rows
    ]


def _rank(places: list[tuple[float, ...]], distance: tuple[float, ...]) -> str:
    return f"{places.index(distance) + 1}{'=' if places.count(distance) > 1 else ''}"


def _distance(row: Row, metrics: list[MetricInfo], *, by_drift: bool) -> tuple[float, ...]:
    if row.comparison is None:
        return (math.inf,)
    pooled = [
        -found.pooled if info.higher_is_closer else found.pooled
        for info in metrics
        if (found := row.comparison.metrics.get(info.name))
    ]
    first = pooled[:1] or [math.inf]
    return (row.comparison.drift, *first) if by_drift and row.comparison.drift is not None else (*first,)


def _setting_groups(
    run: RunRecord, baseline: RunRecord | None, reference: RunRecord | None
) -> dict[str, list[SettingRow]]:
    theirs = reference.settings if reference else {}
    usual = baseline.settings if baseline else {}
    changed = set() if run is baseline else _differing(usual, run.settings)
    apart = _differing(theirs, run.settings) & theirs.keys()
    groups: dict[str, list[SettingRow]] = {"changed": [], "apart": [], "unknown": [], "same": []}
    for path in sorted({*run.settings, *usual, *theirs}):
        sides = (run.settings.get(path), usual.get(path), theirs.get(path))
        own, before, there = (side is not None and side.origin is Origin.UNKNOWN for side in sides)
        if path in changed and not (own or before):
            group = "changed"
        elif path in apart and path in run.settings and not (own or there):
            group = "apart"
        else:
            group = "unknown" if own or (path in changed and before) or (path in apart and there) else "same"
        groups[group].append(SettingRow(path, *sides, as_reference=path in theirs and path not in apart))
    return {name: rows for name, rows in groups.items() if rows}


def _differing(left: dict[str, SettingRecord], right: dict[str, SettingRecord]) -> set[str]:
    return {found.path for found in diff(recorded_settings(left), recorded_settings(right))}
