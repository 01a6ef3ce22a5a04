"""GitHub Markdown of an audit: what somebody pastes into an issue, and the lines for a CI job's page.

The key insight: an issue takes 65,536 characters and no more, so the length is bounded here and what was left out is
said; and every text of the record is untrusted, so each goes through `inert`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from jinja2 import Environment

from spacediff.privacy.short_lines import shortened
from spacediff.record import ASIDE, AuditRecord, IgnoredRecord
from spacediff.reporting.inert import MOST, code, fenced, prose
from spacediff.reporting.inputs import size_of
from spacediff.reporting.markdown_tables import (
    MOST_OF_CELL,
    Table,
    environment_table,
    history_table,
    local_table,
    samples_table,
    settings_table,
    variants_table,
)
from spacediff.reporting.presentable import PRIVATE, presentable
from spacediff.reporting.reproduction import install_block, scenario_of, what_ran
from spacediff.reporting.templates import plain_environment
from spacediff.reporting.view import PromptView, Row, prompt_view
from spacediff.shipped import shipped
from spacediff.wording import (
    agreement_text,
    answer_sentences,
    approximation_texts,
    cause_text,
    cost_text,
    determinism_text,
    fix_code,
    forecast_texts,
    gate_headline,
    history_text,
    ignored_text,
    left_open_text,
    presenting,
    sentences,
    spread_text,
)
from spacediff.wording.numbers import drift, moment, value

LIMIT = 60_000
"""Characters; GitHub takes 65,536, and whoever writes the issue wants to add some."""

SUMMARY_LIMIT = 20_000
"""A CI job's page takes a megabyte for all its steps; this is for reading."""

_PROMPTS_SHARE = 2 / 3
"""Of the characters: what prompts may take, before the tables have their rows."""
_TOO_LONG = "### spacediff: {}\n\nThe texts of this audit are too long to show here; see the report.\n"
_MOST_OF_COMMAND = 2000
_MOST_SENTENCES = 8


def render_markdown(record: AuditRecord) -> str:
    """Return the Markdown for an issue: under `LIMIT` characters, saying what was left out where there is too much."""
    return _within(LIMIT, record, "issue.md.j2")


def render_summary(record: AuditRecord) -> str:
    """Return the lines for a CI job's page: verdict, cause, gate and the variants."""
    return _within(SUMMARY_LIMIT, record, "summary.md.j2")


def _within(limit: int, record: AuditRecord, template: str) -> str:
    """Draw as much as fits: prompts up to their share, then rows in each table; of monstrous texts hardly anything."""
    record = presentable(record)
    with presenting(record):
        return _as_much_as_fits(limit, record, template)


def _as_much_as_fits(limit: int, record: AuditRecord, template: str) -> str:
    views = [prompt_view(record, prompt) for prompt in record.prompts]
    tables = [
        variants_table(record, views),
        *([local_table(record)] if record.local_comparisons else []),
        *([samples_table(views)] if record.samples else []),
        *([history_table(record.history)] if record.history else []),
        settings_table(record, views),
        environment_table(record),
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


@cache  # compiling them takes time, and a page that is too long is drawn many times
def templates() -> Environment:
    """Return the environment of the Markdown's templates."""
    templates = plain_environment(shipped("reports"))  # Markdown is no HTML: `inert` escapes
    templates.filters.update(code=code, prose=prose, moment=moment, fenced=_command)
    return templates


def _draw(record: AuditRecord, views: list[PromptView], most: int, tables: list[Table], template: str) -> str:
    drawn = (
        templates()
        .get_template(template)
        .render(
            record=record,
            gate_headline=gate_headline,
            approximations=approximation_texts(record.approximations),
            cause=cause_text(record),
            views=[(view.prompt, _answer(record, view), _sentences(view)) for view in views[:most]],
            several=len(views) > 1,
            prompts_left_out=len(views[most:]),
            reasons=sentences(record.gate.reasons[:_MOST_SENTENCES]),
            reasons_left_out=len(record.gate.reasons[_MOST_SENTENCES:]),
            size_of=size_of,
            fix=_fix(record),
            cost=_cost(record),
            left_open=left_open_text(record),
            spread=spread_text(record.cause.spread) if record.cause and record.cause.spread else "",
            determinism=determinism_text(record.determinism) if record.determinism else "",
            forecast=forecast_texts(record.forecast) if record.forecast else [],
            contents=_contents(record, views[:most]),
            notes=_notes(record),
            tables=tables,
            private=PRIVATE,
            history=_history(record),
            what_ran=what_ran(record),
            install=install_block(record),
            scenario=scenario_of(record),
        )
    )
    return drawn.strip() + "\n"


def _command(command: str) -> str:
    line = " ".join(command.split())
    return fenced(line) if len(line) <= _MOST_OF_COMMAND else "The command is too long for an issue; see the report."


def _answer(record: AuditRecord, view: PromptView) -> str:
    """Return the answer for a prompt in one line; empty where there is none."""
    if view.reference is None or not view.reference.measured:
        return ""
    return prose(" ".join(answer_sentences(record, view.prompt.name)))


def _sentences(view: PromptView) -> list[str]:
    """Return what came out for a prompt: of the gate's variant and the baseline, else of the closest and farthest."""
    if view.reference is None or not view.reference.measured:
        why = prose(view.reference.reason) if view.reference else "there is none"
        return [f"The reference was not measured, so nothing could be compared with it: {why}"]
    if view.groups:
        return [prose(groups.text) for groups in view.groups]
    ends = [view.judged, view.baseline] if view.judged else [view.baseline, *view.ranked[:1], *view.ranked[-1:]]
    rows = {row.run.name: row for row in ends if row is not None and row.run is not view.reference}
    return [_verdict(row) for row in rows.values()] or ["Nothing was compared with the reference."]


def _verdict(row: Row) -> str:
    if row.comparison is None:
        why = row.run.reason or "there is nothing to compare it with"
        return f"{code(row.run.name)}: **not measured**: {prose(why)}"
    found = row.comparison
    far = f", drift {drift(found.drift)}" if found.drift is not None else ""
    facts = row.faults or found.evidence[:1]
    why = f": {' '.join(map(prose, sentences(facts)))}" if facts else ""
    return f"{code(row.run.name)}: **{found.verdict.value}**{far}{why}"


def _cost(record: AuditRecord) -> str:
    """Return what the search for the cause has cost; empty where it made no run."""
    cost = record.cause.cost if record.cause else None
    return cost_text(cost) if cost and cost.probes else ""


def _fix(record: AuditRecord) -> str:
    """Return what to change, as a code block; empty where no cause was found."""
    lines = fix_code(record.cause) if record.cause else []
    shown = [shortened(line, MOST) for line in lines[:_MOST_SENTENCES]]
    return fenced("\n".join(shown), "python") if shown else ""


def _contents(record: AuditRecord, views: list[PromptView]) -> list[str]:
    """Return for each prompt what its baseline, or the run shown first, shows least of."""
    said = []
    for view in views:
        for found in record.semantics:
            if found.prompt != view.prompt.name or view.prompt.private or found.least_shown is None:
                continue
            text = found.texts[found.least_shown]
            if text.of(view.first) is not None:
                said.append(prose(agreement_text(text, view.first, record.reference)))
    return said[:_MOST_SENTENCES]


def _notes(record: AuditRecord) -> list[str]:
    """Return notes on the reference, warnings of audit and runs, what was ignored and what not measured, each once."""
    missing = [
        f"{code(run.name)} was not measured: {prose(run.reason)}"
        for run in record.runs
        if run.role not in ASIDE and run.failed
    ]
    warnings = [prose(each) for each in sentences([*record.about_reference, *record.warnings])]
    of_runs = [f"{', '.join(map(code, each.runs))}: {prose(each.warning)}" for each in record.run_warnings]
    notes = list(dict.fromkeys([*warnings, *of_runs, *map(_ignored, record.ignored), *missing]))
    more = len(notes) - _MOST_SENTENCES
    return notes if more <= 0 else [*notes[:_MOST_SENTENCES], f"{more} more notes in the report"]


def _ignored(found: IgnoredRecord) -> str:
    each = found.ignored
    argument = code(f"{each.argument} = {value(each.value)}", MOST_OF_CELL)
    return ignored_text(argument, code(each.given_to), prose(each.advice))


def _history(record: AuditRecord) -> str:
    """Return how the audit compares with the earlier one, in a sentence; empty where it was compared with none."""
    if record.history is None:
        return ""
    history = record.history
    return f"{prose(history.against)} of {code(moment(history.created))}: {prose(history_text(history))}"
