"""The tables of the Markdown: variants, settings that differ, the environment, what changed since an earlier audit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spacediff.record import (
    WITHHELD,
    AuditRecord,
    Change,
    ComparisonRecord,
    FactChange,
    HistoryRecord,
    Origin,
    RunRecord,
    SettingRecord,
    VariantHistory,
)
from spacediff.reporting.inert import cell, prose
from spacediff.reporting.view import PromptView, Row
from spacediff.wording import place_of_tile
from spacediff.wording.numbers import drift, number, value

MOST_OF_CELL = 160
"""Characters of a cell."""

_MOST_SIDES = 4
"""Most runs whose settings are shown side by side."""
_DIFFERING = ("changed", "differing")
"""Groups of settings that are known to differ."""
_NOT_REPORTED = "not reported"
_NOT_COMPARED = "—"


@dataclass(frozen=True)
class Table:
    """A table of the Markdown, as text that needs no more escaping.

    Attributes:
        title: Its heading.
        head: Names of the columns.
        rows: The rows, the most important first.
        left_out: How many more rows there are.
    """

    title: str
    head: list[str]
    rows: list[list[str]]
    left_out: int = 0

    def at_most(self, count: int) -> Table:
        """Return the table with its first rows."""
        return Table(self.title, self.head, self.rows[:count], max(0, len(self.rows) - count))


def variants_table(record: AuditRecord, views: list[PromptView]) -> Table:
    """Return rank, verdict, drift and metrics of the variants, in order of the record."""
    several = len(views) > 1
    units = [_heading(f"{info.title}{f' ({info.unit})' if info.unit else ''}") for info in record.metrics]
    return Table(
        "Variants, closest first",
        [*(["prompt"] if several else []), "rank", "variant", "verdict", "drift", *units, "worst tile (levels)"],
        [
            [*([cell(view.prompt.name)] if several else []), *_variant(record, row)]
            for view in views
            for row in view.rows
            if not row.control
        ],
    )


def local_table(record: AuditRecord) -> Table:
    """Return how the runs of prompts without a reference compare with the baseline."""
    units = [_heading(f"{info.title}{f' ({info.unit})' if info.unit else ''}") for info in record.metrics]
    return Table(
        "Without a reference, compared with the baseline",
        ["prompt", "run", "verdict", "drift", *units],
        [
            [
                cell(each.prompt),
                cell(each.candidate),
                each.verdict.value,
                drift(each.drift),
                *(
                    number(each.metrics[info.name].pooled if info.name in each.metrics else None, info)
                    for info in record.metrics
                ),
            ]
            for each in record.local_comparisons
        ],
    )


def _heading(text: str) -> str:
    return prose(text, MOST_OF_CELL).replace("|", "\\|")


def _variant(record: AuditRecord, row: Row) -> list[str]:
    found = row.comparison
    metrics = found.metrics if found else {}
    verdict = found.verdict.value if found else "not measured"
    numbers = [number(metrics[info.name].pooled if info.name in metrics else None, info) for info in record.metrics]
    drifted = drift(found.drift if found else None)
    return [row.rank or "—", cell(row.run.name), verdict, drifted, *numbers, _worst_tile(found)]


def _worst_tile(found: ComparisonRecord | None) -> str:
    """Write how far and where a clip differs most; a dash where no pixel does or nothing was compared."""
    tile = found.worst_tile if found else None
    return f"{number(tile.error, decimals=2)}: {place_of_tile(tile)}" if tile else "—"


def samples_table(views: list[PromptView]) -> Table:
    """Return the measures of all groups of clips, those that differ first."""
    rows = [
        (
            not row.finding,
            [
                cell(f"{view.prompt.name} / {groups.found.candidate}"),
                _heading(f"{row.info.title}{f' ({row.info.unit})' if row.info.unit else ''}"),
                *row.means,
                row.effect or "—",
                f"{row.p}{', differs' if row.finding else ''}",
                row.enough or "—",
            ],
        )
        for view in views
        for groups in view.groups
        for row in groups.rows
    ]
    head = [
        "",
        "measure",
        "reference",
        "this side",
        "Cliff's delta (90 % interval)",
        "p, corrected",
        "samples to show it",
    ]
    return Table("Groups of samples", head, [row for _, row in sorted(rows, key=lambda each: each[0])])


def settings_table(record: AuditRecord, views: list[PromptView]) -> Table:
    """Return where baseline, target, the gate's variant and the reference differ; equal rows of several prompts once.

    A reference of which none of these settings is known has no column.
    """
    names = list(dict.fromkeys(row.run.name for view in views for row in _sides(view)))[:_MOST_SIDES]
    rows: list[list[str]] = []
    for view in views:
        shown = {row.run.name: row for row in _sides(view) if row.run.name in names}
        differing = (item for row in shown.values() for kind in _DIFFERING for item in row.settings.get(kind, []))
        # without the baseline's column, what only differs from the baseline is equal in all columns
        for path in sorted({item.path for item in differing if view.baseline or not item.as_reference}):
            sides = [_own(shown[name].run, path) if name in shown else _NOT_COMPARED for name in names]
            theirs = view.reference.settings.get(path) if view.reference else None
            rows.append([cell(path, MOST_OF_CELL), *sides, _setting(theirs) if theirs else _NOT_REPORTED])
    head = ["setting", *map(cell, names), cell(record.reference)]
    if rows and all(row[-1] == _NOT_REPORTED for row in rows):
        head, rows = head[:-1], [row[:-1] for row in rows]
    return Table("Settings that differ", head, _each_once(rows))


def _sides(view: PromptView) -> list[Row]:
    """Return the rows whose settings are shown: those of baseline, target and gate, else the one shown first."""
    rows = {row.run.name: row for row in (view.baseline, view.target, view.judged) if row}
    return list(rows.values()) or [row for row in view.rows if row.run.name == view.first]


def _own(run: RunRecord, path: str) -> str:
    """Write the effective value of a setting of a run on this machine; of one that never began, what it declares."""
    if path in run.settings:
        return _setting(run.settings[path])
    if run.settings:
        return "no such setting"
    return f"{cell(value(run.changes[path]), MOST_OF_CELL)} (declared)" if path in run.changes else "not resolved"


def _each_once(rows: Iterable[list[str]]) -> list[list[str]]:
    return [list(row) for row in dict.fromkeys(tuple(row) for row in rows)]


def _setting(found: SettingRecord) -> str:
    if found.origin is Origin.UNKNOWN:
        return WITHHELD if found.where == WITHHELD else "unknown"
    return f"{cell(value(found.value), MOST_OF_CELL)} ({found.origin.value})"


def environment_table(record: AuditRecord) -> Table:
    """Return the facts of this machine next to those of the Space, in order of the record."""
    environment = record.environment
    rows = [(name, environment.local.get(name), environment.hosted.get(name)) for name in environment.order]
    return Table(
        "Environment",
        ["", "local", "hosted"],
        [[cell(name, MOST_OF_CELL), *(cell(side or "", MOST_OF_CELL) for side in sides)] for name, *sides in rows],
    )


def history_table(history: HistoryRecord) -> Table:
    """Return what changed since the earlier audit: variants first, then facts."""
    moved = [each for each in history.variants if each.change is not Change.SAME]
    rows = [_moved(each) for each in moved] + [_fact(fact) for fact in history.facts]
    return Table("What changed since", ["", "before", "now", ""], rows)


def _moved(found: VariantHistory) -> list[str]:
    sides = [
        f"{verdict.value}, drift {drift(far)}" if verdict and far is not None else verdict.value if verdict else "—"
        for verdict, far in ((found.verdict_before, found.drift_before), (found.verdict_now, found.drift_now))
    ]
    pixels = {True: "the same pixels", False: "different pixels", None: ""}[found.equal_frames]
    return [cell(f"{found.prompt} / {found.name}"), *sides, ", ".join(filter(None, (found.change.value, pixels)))]


def _fact(fact: FactChange) -> list[str]:
    sides = ["—" if v is None else cell(value(v), MOST_OF_CELL) for v in (fact.before, fact.now)]
    runs = f": {cell(', '.join(fact.runs), MOST_OF_CELL)}" if fact.runs else ""
    return [cell(fact.name, MOST_OF_CELL), *sides, f"{fact.subject.value}{runs}"]
