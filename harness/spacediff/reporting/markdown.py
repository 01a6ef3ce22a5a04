"""GitHub Markdown of an audit: what somebody pastes into an issue, and the lines for a CI job's page.

The key insight: an issue takes 65,536 characters and no more, so the length is bounded here and what was left out is
said; and every text of the record is a stranger's, so each goes through `inert`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from spacediff.record import ASIDE, AuditRecord, Change, FactChange, SettingRecord, VariantHistory
from spacediff.reporting.inert import cell, code, fenced, prose
from spacediff.reporting.numbers import drift, moment, number, value
from spacediff.reporting.presentable import PRIVATE, presentable
from spacediff.reporting.view import PromptView, Row, prompt_view
from spacediff.settings import Origin
from spacediff.shipped import shipped

LIMIT = 60_000
"""Characters; GitHub takes 65,536, and whoever writes the issue wants to add some."""

SUMMARY_LIMIT = 20_000
"""A CI job's page takes a megabyte for all its steps; this is for reading."""

_PROMPTS_SHARE = 2 / 3
"""Of the characters: what prompts may take, before the tables have their rows."""
_TOO_LONG = "### spacediff: {}\n\nThe texts of this audit are too long to stand here; the report has them.\n"
_MOST_OF_CELL = 160
_MOST_OF_COMMAND = 2000
_MOST_SENTENCES = 8
_MOST_SIDES = 4
"""Runs whose settings stand side by side; more than baseline and the gate's variant only where there is no baseline."""
_PARTED = ("changed", "apart")
"""Groups of settings that are known to differ."""


@dataclass(frozen=True)
class Table:
    """A table of the Markdown, as text that needs no more escaping.

    Attributes:
        title: Its heading.
        head: Names of the columns.
        rows: The rows, the most telling first.
        left_out: How many more rows there are.
    """

    title: str
    head: list[str]
    rows: list[list[str]]
    left_out: int = 0

    def at_most(self, count: int) -> Table:
        """Return the table with its first rows."""
        return Table(self.title, self.head, self.rows[:count], max(0, len(self.rows) - count))


def render_markdown(record: AuditRecord) -> str:
    """Return the Markdown for an issue: under `LIMIT` characters, saying what was left out where there is too much."""
    return _within(LIMIT, record, "issue.md.j2")


def render_summary(record: AuditRecord) -> str:
    """Return the lines for a CI job's page: verdict, cause, gate and the variants."""
    return _within(SUMMARY_LIMIT, record, "summary.md.j2")


def _within(limit: int, record: AuditRecord, template: str) -> str:
    """Draw as much as fits: prompts up to their share, then rows in each table; of monstrous texts hardly anything."""
    record = presentable(record)
    views = [prompt_view(record, prompt) for prompt in record.prompts]
    tables = [
        _variants(record, views),
        *([_over_time(record)] if record.history else []),
        _settings(record, views),
        _environment(record),
    ]

    def draw(rows: int, prompts: int) -> str:
        return _draw(record, views, prompts, [table.at_most(rows) for table in tables], template)

    longest = max(len(table.rows) for table in tables)
    prompts = _most(lambda count: len(draw(0, count)) < _PROMPTS_SHARE * limit, len(views))
    for shown in (max(prompts, min(1, len(views))), 0):
        rows = _most(lambda count: len(draw(count, shown)) < limit, longest)  # noqa: B023 - called in this round
        if rows >= 0:
            return draw(rows, shown)
    return _TOO_LONG.format(record.gate.status.value)


def _most(fits: Callable[[int], bool], most: int) -> int:
    """Return the largest number up to `most` that fits, where smaller ones take less; -1 where none does."""
    if fits(most):
        return most
    fitting, too_many = -1, most
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        if fits(middle):
            fitting = middle
        else:
            too_many = middle
    return fitting


def _draw(record: AuditRecord, views: list[PromptView], most: int, tables: list[Table], template: str) -> str:
    templates = Environment(  # noqa: S701 - Markdown is no HTML: `inert` escapes
        loader=FileSystemLoader(shipped("reports")), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters.update(code=code, prose=prose, moment=moment, fenced=_command)
    drawn = templates.get_template(template).render(
        record=record,
        views=[(view.prompt, _sentences(view)) for view in views[:most]],
        several=len(views) > 1,
        prompts_left_out=len(views[most:]),
        reasons=record.gate.reasons[:_MOST_SENTENCES],
        reasons_left_out=len(record.gate.reasons[_MOST_SENTENCES:]),
        fix=_fix(record),
        contents=_contents(record, views[:most]),
        notes=_notes(record),
        tables=tables,
        private=PRIVATE,
        history=_history(record),
    )
    return drawn.strip() + "\n"


def _command(command: str) -> str:
    line = " ".join(command.split())
    return fenced(line) if len(line) <= _MOST_OF_COMMAND else "The command is too long for an issue; the report has it."


def _sentences(view: PromptView) -> list[str]:
    """Return what came out for a prompt: of the gate's variant and the baseline, else of the closest and farthest."""
    if view.reference is None or not view.reference.measured:
        why = prose(view.reference.reason) if view.reference else "there is none"
        return [f"The reference was not measured, so nothing could be compared: {why}"]
    ends = [view.judged, view.baseline] if view.judged else [view.baseline, *view.ranked[:1], *view.ranked[-1:]]
    rows = {row.run.name: row for row in ends if row is not None and row.run is not view.reference}
    return [_verdict(row) for row in rows.values()] or ["Nothing was compared with the reference."]


def _verdict(row: Row) -> str:
    if row.comparison is None:
        why = row.run.reason or "nothing to hold it against"
        return f"{code(row.run.name)}: **not measured**: {prose(why)}"
    found = row.comparison
    far = f", drift {drift(found.drift)}" if found.drift is not None else ""
    why = f": {prose(found.evidence[0])}" if found.evidence else ""
    return f"{code(row.run.name)}: **{found.verdict.value}**{far}{why}"


def _fix(record: AuditRecord) -> str:
    """Return what to change, in one line; empty where no cause was found."""
    cause = record.cause
    guilty = [suspect for suspect in cause.suspects if suspect.path in cause.cause] if cause else []
    changes = [
        f"{code(suspect.path)} left unset"
        if suspect.right is None
        else code(f"{suspect.path} = {value(suspect.right)}", _MOST_OF_CELL)
        for suspect in guilty
    ]
    return ", ".join(changes)


def _contents(record: AuditRecord, views: list[PromptView]) -> list[str]:
    """Return for each prompt what its baseline, or the run shown first, shows least of."""
    told = []
    for view in views:
        name = view.baseline.run.name if view.baseline else view.first
        clips = [
            clip
            for found in record.semantics
            if found.prompt == view.prompt.name and not view.prompt.private
            for text in found.texts
            if (clip := text.of(name)) and clip.difference
        ]
        if clips:
            told.append(prose(max(clips, key=lambda clip: clip.difference or 0.0).sentence))
    return told[:_MOST_SENTENCES]


def _notes(record: AuditRecord) -> list[str]:
    """Return what was ignored, what could not be had, and the warnings, each once."""
    runs = [run for run in record.runs if run.role not in ASIDE]
    ignored = [
        f"{code(f'{each.argument} = {value(each.value)}', _MOST_OF_CELL)} was accepted by {code(each.given_to)} but "
        f"ignored{'; ' + prose(each.advice) if each.advice else ''}"
        for run in runs
        for each in run.ignored
    ]
    warnings = [prose(warning) for warning in record.warnings]
    missing = [f"{code(run.name)} was not measured: {prose(run.reason)}" for run in runs if not run.measured]
    notes = list(dict.fromkeys([*warnings, *ignored, *missing]))
    more = len(notes) - _MOST_SENTENCES
    return notes if more <= 0 else [*notes[:_MOST_SENTENCES], f"{more} more notes, in the report"]


def _variants(record: AuditRecord, views: list[PromptView]) -> Table:
    several = len(views) > 1
    units = [_heading(f"{info.title}{f' ({info.unit})' if info.unit else ''}") for info in record.metrics]
    return Table(
        "Variants, the closest first",
        [*(["prompt"] if several else []), "variant", "verdict", "drift", *units],
        [
            [*([cell(view.prompt.name)] if several else []), *_variant(record, row)]
            for view in views
            for row in view.rows
            if not row.control
        ],
    )


def _heading(text: str) -> str:
    return prose(text, _MOST_OF_CELL).replace("|", "\\|")


def _variant(record: AuditRecord, row: Row) -> list[str]:
    found = row.comparison
    metrics = found.metrics if found else {}
    verdict = found.verdict.value if found else "not measured"
    numbers = [number(metrics[info.name].pooled if info.name in metrics else None, info) for info in record.metrics]
    return [cell(row.run.name), verdict, drift(found.drift if found else None), *numbers]


def _settings(record: AuditRecord, views: list[PromptView]) -> Table:
    """Return where baseline, the gate's variant and the reference part; what all prompts share stands once."""
    names = list(dict.fromkeys(row.run.name for view in views for row in _told_of(view)))[:_MOST_SIDES]
    rows: list[list[str]] = []
    for view in views:
        told = {row.run.name: row for row in _told_of(view) if row.run.name in names}
        paths = {item.path for row in told.values() for kind in _PARTED for item in row.settings.get(kind, [])}
        for path in sorted(paths):
            sides = [told[name].run.settings.get(path) if name in told else None for name in names]
            theirs = view.reference.settings.get(path) if view.reference else None
            told_sides = [_setting(side) for side in [*sides, theirs]]
            if len(set(told_sides)) > 1:
                rows.append([cell(path, _MOST_OF_CELL), *told_sides])
    head = ["setting", *map(cell, names), cell(record.reference)]
    return Table("Settings that differ", head, _each_once(rows))


def _told_of(view: PromptView) -> list[Row]:
    """Return the rows whose settings are told: the baseline's and the gate's variant's, else the one shown first."""
    rows = [view.baseline, *([view.judged] if view.judged is not view.baseline else [])]
    return [row for row in rows if row] or [row for row in view.rows if row.run.name == view.first]


def _each_once(rows: Iterable[list[str]]) -> list[list[str]]:
    return [list(row) for row in dict.fromkeys(tuple(row) for row in rows)]


def _setting(found: SettingRecord | None) -> str:
    if found is None:
        return "not told"
    if found.origin is Origin.UNKNOWN:
        return "unknown"
    return f"{cell(value(found.value), _MOST_OF_CELL)} ({found.origin.value})"


def _environment(record: AuditRecord) -> Table:
    local, hosted = record.environment.local, record.environment.hosted
    rows = [(name, local.get(name), hosted.get(name)) for name in dict.fromkeys([*hosted, *local])]
    rows.sort(key=lambda row: (None in row[1:], row[1] == row[2]))
    return Table(
        "Environment",
        ["", "local", "hosted"],
        [[cell(name, _MOST_OF_CELL), *(cell(side or "", _MOST_OF_CELL) for side in sides)] for name, *sides in rows],
    )


def _history(record: AuditRecord) -> str:
    """Return how the audit stands to the earlier one, in a sentence; empty where it was held against none."""
    if record.history is None:
        return ""
    return (
        f"{prose(record.history.against)} of {code(moment(record.history.created))}: {prose(record.history.sentence)}"
    )


def _over_time(record: AuditRecord) -> Table:
    """Return what changed since the earlier audit: variants first, then facts."""
    if record.history is None:
        return Table("", [], [])
    moved = [each for each in record.history.variants if each.change is not Change.SAME]
    rows = [_moved(each) for each in moved] + [_fact(fact) for fact in record.history.facts]
    return Table("What changed since", ["", "before", "now", ""], rows)


def _moved(found: VariantHistory) -> list[str]:
    sides = [
        f"{verdict.value}, drift {drift(far)}" if verdict and far is not None else verdict.value if verdict else "—"
        for verdict, far in ((found.verdict_before, found.drift_before), (found.verdict_now, found.drift_now))
    ]
    frames = {True: "the same frames", False: "other frames", None: ""}[found.equal_frames]
    return [cell(f"{found.prompt} / {found.name}"), *sides, ", ".join(filter(None, (found.change.value, frames)))]


def _fact(fact: FactChange) -> list[str]:
    sides = ["—" if v is None else cell(value(v), _MOST_OF_CELL) for v in (fact.before, fact.now)]
    runs = f": {cell(', '.join(fact.runs), _MOST_OF_CELL)}" if fact.runs else ""
    return [cell(fact.name, _MOST_OF_CELL), *sides, f"{fact.subject.value}{runs}"]
