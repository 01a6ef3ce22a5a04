"""The view: an audit record put in the order in which a reader meets it. Nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from spacediff.record import (
    CONTENT_FAULTS,
    AuditRecord,
    ComparisonRecord,
    Fact,
    OverviewRecord,
    PromptRecord,
    Role,
    RunRecord,
    ScaleRecord,
    SettingRecord,
    TraceComparisonRecord,
)
from spacediff.reporting.drift_scale import DriftScale, drift_scale
from spacediff.reporting.inside import Inside, inside_view
from spacediff.reporting.samples import Groups, groups_view
from spacediff.reporting.semantics import Shown, semantics_view
from spacediff.wording import nouns_for
from spacediff.wording.numbers import written_rank


class Still(StrEnum):
    """Whether an audit is about pictures, which do not move: the value is the class that the page gets for it."""

    NO = ""
    SEVERAL = "still"
    ONE = "still single"


def still(record: AuditRecord) -> Still:
    """Return whether all clips of an audit are pictures, and whether each of them is a single one."""
    chosen = nouns_for(record)
    if chosen.moves:
        return Still.NO
    return Still.SEVERAL if chosen.several else Still.ONE


@dataclass(frozen=True)
class SettingRow:
    """One setting of a run next to the baseline's and the reference's.

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
    """One run that is compared with the reference.

    Attributes:
        run: The run.
        comparison: Its comparison; None when there is none.
        twins: Names of the other runs on the page with exactly these frames.
        twin_of: The first of them, where it precedes this run; else empty.
        settings: Its settings in the groups that are not empty: `changed`, `differing`, `unknown`, `same`.
        trace: Where it diverges inside the loop; None when that was not examined.
    """

    run: RunRecord
    comparison: ComparisonRecord | None
    twins: list[str]
    twin_of: str
    settings: dict[str, list[SettingRow]]
    trace: TraceComparisonRecord | None

    @property
    def rank(self) -> str:
        """Its place among the scored variants, `2=` where two share it; empty for controls and the unscored."""
        return written_rank(self.comparison.rank if self.comparison else None)

    @property
    def scored(self) -> bool:
        """Whether there are numbers to show."""
        return self.comparison is not None and bool(self.comparison.metrics)

    @property
    def faults(self) -> list[Fact]:
        """What is wrong with the content of its clip or of the reference: black, censored, from latents with NaN."""
        return [each for each in self.comparison.evidence if each.kind in CONTENT_FAULTS] if self.comparison else []

    @property
    def control(self) -> bool:
        """Whether the run only gives a scale: a re-run, a repeat, another seed."""
        return self.run.role.control


@dataclass(frozen=True)
class PromptView:
    """Everything about one prompt, in order of display.

    Attributes:
        prompt: The prompt.
        reference: The reference's run, or None.
        baseline: The baseline's row, or None.
        rows: The rows, in the order of the record.
        judged: The row of the gate's variant, or None.
        target: What the baseline's settings are shown against: the target of the search, else the gate's variant; None
            where that is the baseline itself, or there is none.
        scale: Metric name to its scale, where all comparisons share it.
        first: Name of the run that is selected at the start; empty when there is none.
        inside: What the traces show; None when no run was examined.
        shown: What the clips show; None when that was not asked.
        groups: How groups of clips compare; empty where seeds are expected to match.
        drift: The drifts of the variants on an axis; None where none is known.
    """

    prompt: PromptRecord
    reference: RunRecord | None
    baseline: Row | None
    rows: list[Row]
    judged: Row | None
    target: Row | None
    scale: dict[str, ScaleRecord]
    first: str
    inside: Inside | None
    shown: Shown | None
    groups: list[Groups]
    drift: DriftScale | None

    @property
    def ranked(self) -> list[Row]:
        """The scored variants, closest first."""
        return [row for row in self.rows if row.rank]

    def row(self, name: str) -> Row | None:
        """Return the row of a run; None where it has none."""
        return next((row for row in self.rows if row.run.name == name), None)


def prompt_view(record: AuditRecord, prompt: PromptRecord) -> PromptView:
    """Return what the page shows of one prompt."""
    overview = record.overview(prompt.name)
    runs = {run.name: run for run in record.runs if run.prompt == prompt.name}
    reference = runs.get(record.reference)
    comparisons = {
        found.candidate: found
        for found in record.comparisons
        if (found.prompt, found.reference) == (prompt.name, record.reference)
    }
    traces = {trace.candidate: trace for trace in record.traces if trace.prompt == prompt.name}
    on_page = {record.reference, *overview.order}
    groups = [[name for name in group if name in on_page] for group in overview.twins]
    twins = {name: group for group in groups for name in group}
    baseline = runs.get(overview.baseline)
    rows = {
        name: Row(
            run=runs[name],
            comparison=comparisons.get(name),
            twins=[twin for twin in twins.get(name, []) if twin != name],
            twin_of=_twin_of(name, twins.get(name, [])),
            settings=_setting_rows(runs[name], baseline, reference),
            trace=traces.get(name),
        )
        for name in overview.order
    }
    return PromptView(
        prompt=prompt,
        reference=reference,
        baseline=rows.get(overview.baseline),
        rows=list(rows.values()),
        judged=rows.get(overview.judged),
        target=rows.get(_target(record, overview)),
        scale=overview.scale,
        first=overview.selected,
        inside=inside_view(record, prompt),
        shown=semantics_view(record, prompt),
        groups=groups_view(record, prompt),
        drift=_drift(record, list(rows.values())),
    )


def _target(record: AuditRecord, overview: OverviewRecord) -> str:
    """Return the name of the run that the baseline is to become; empty where there is none."""
    searched = record.cause is not None and record.cause.start == overview.baseline
    name = record.cause.target if record.cause is not None and searched else overview.judged
    return "" if name == overview.baseline else name


def _drift(record: AuditRecord, rows: list[Row]) -> DriftScale | None:
    """Put the drifts of the variants on an axis, with the range of the other seeds and the gate's limit."""
    known = [(row.run, row.comparison.drift) for row in rows if row.comparison and row.comparison.drift is not None]
    variants = {run.name: drift for run, drift in known if not run.role.control}
    seeds = [drift for run, drift in known if run.role is Role.SEED]
    return drift_scale(variants, seeds, record.gate.max_drift) if variants else None


def _twin_of(name: str, twins: list[str]) -> str:
    return "" if not twins or twins[0] == name else twins[0]


def _setting_rows(
    run: RunRecord, baseline: RunRecord | None, reference: RunRecord | None
) -> dict[str, list[SettingRow]]:
    groups = run.setting_groups
    if groups is None:
        return {}
    before, there = (side.settings if side else {} for side in (baseline, reference))
    as_reference = set(groups.as_reference)

    def row(path: str) -> SettingRow:
        return SettingRow(path, run.settings.get(path), before.get(path), there.get(path), path in as_reference)

    of_kinds = {
        "changed": groups.changed,
        "differing": groups.differing,
        "unknown": groups.unknown,
        "same": groups.same,
    }
    return {kind: [row(path) for path in paths] for kind, paths in of_kinds.items() if paths}
