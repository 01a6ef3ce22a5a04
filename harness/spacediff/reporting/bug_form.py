"""The bug form of another project, filled from a record: one heading for each of its fields, to be pasted into them.

The key insight: a maintainer gets what their form asks for, in its words and its order; GitHub shows a form that was
filled in with the same headings, so the whole text is an issue too. A form is a template in `reports/`.
"""

from __future__ import annotations

from pathlib import Path

from spacediff.enclosed import SCRIPT, enclosed
from spacediff.record import ASIDE, AuditRecord
from spacediff.reporting.inert import fenced
from spacediff.reporting.markdown import LIMIT, templates
from spacediff.reporting.markdown_tables import Table, settings_table
from spacediff.reporting.presentable import PRIVATE, presentable, visible
from spacediff.reporting.reproduction import install_block, scenario_of, versions, what_ran
from spacediff.reporting.view import prompt_view
from spacediff.wording import answer_sentences, cause_text, fix_code, ignored_text, presenting, sentences
from spacediff.wording.numbers import value

_FORMS = {"diffusers": "bug_diffusers.md.j2"}
_MOST_PROMPTS = 4
_MOST_LINES = 40
"""Lines of the logs, of the fix, and of the system."""
_MOST_OF_LINE = 300
_MOST_OF_SCRIPT = 12_000
"""Characters; a longer script is left to the ZIP."""
_ROWS = (40, 10, 0)
"""Rows of the table of settings that are tried, until the form is short enough."""


def render_bug_form(record: AuditRecord, folder: Path, template: str) -> str:
    """Return the filled form as Markdown, under `spacediff.reporting.markdown.LIMIT` characters.

    Args:
        record: The record.
        folder: The audit folder, for the script.
        template: Whose form, as `spacediff.results.IssueTemplate` names it.
    """
    record = presentable(record)
    with presenting(record):
        drawn = (_draw(record, folder, template, rows) for rows in _ROWS)
        return next((text for text in drawn if len(text) < LIMIT), _TOO_LONG)


_TOO_LONG = "The texts of this audit are too long for an issue; see the report.\n"


def _draw(record: AuditRecord, folder: Path, template: str, rows: int) -> str:
    views = [prompt_view(record, prompt) for prompt in record.prompts]
    private = any(prompt.private for prompt in record.prompts)
    script = "" if private else visible(enclosed(folder, SCRIPT)).strip()
    table: Table = settings_table(record, views).at_most(rows)
    drawn: str = (
        templates()
        .get_template(_FORMS[template])
        .render(
            record=record,
            answers=[" ".join(answer_sentences(record, view.prompt.name)) for view in views[:_MOST_PROMPTS]],
            prompts=[view.prompt for view in views[:_MOST_PROMPTS]],
            cause=cause_text(record),
            fix=_code(fix_code(record.cause)) if record.cause else "",
            what_ran=what_ran(record),
            install=install_block(record),
            script=fenced(script, "python") if 0 < len(script) <= _MOST_OF_SCRIPT else "",
            scenario=scenario_of(record),
            table=table,
            logs=_block(_logs(record), "shell"),
            system=_block(_system(record), "shell"),
            private=PRIVATE,
        )
    )
    return drawn.strip() + "\n"


def _code(lines: list[str]) -> str:
    """Return lines of code as a block; a line that is too long is left to the report, since half of one is another."""
    long = "# a line that is too long for a form: see the report"
    shown = [line if len(line) <= _MOST_OF_LINE else long for line in lines[:_MOST_LINES]]
    more = [f"# {len(lines) - _MOST_LINES} more in the report"] if len(lines) > _MOST_LINES else []
    return fenced("\n".join([*shown, *more]), "python") if lines else ""


def _block(lines: list[str], language: str) -> str:
    """Return lines as a block, cut where there are too many; empty where there are none."""
    shown = [" ".join(line.split())[:_MOST_OF_LINE] for line in lines[:_MOST_LINES]]
    more = [f"# {len(lines) - _MOST_LINES} more in the report"] if len(lines) > _MOST_LINES else []
    return fenced("\n".join([*shown, *more]), language) if lines else ""


def _logs(record: AuditRecord) -> list[str]:
    """Return what the runs warned of, which arguments were ignored, and why something was not measured, each once."""
    said = [
        *sentences([*record.about_reference, *record.warnings]),
        *(f"{', '.join(each.runs)}: {each.warning}" for each in record.run_warnings),
        *(
            ignored_text(f"{ignored.argument} = {value(ignored.value)}", ignored.given_to, ignored.advice)
            for ignored in (each.ignored for each in record.ignored)
        ),
        *(f"{run.name} was not measured: {run.reason}" for run in record.runs if run.role not in ASIDE and run.failed),
    ]
    return list(dict.fromkeys(said))


def _system(record: AuditRecord) -> list[str]:
    """Return the versions and devices of the run, then those that the Space reports."""
    here = versions(record)
    return [
        *(f"- {name}: {text}" for name, text in here.items() if name != "spacediff"),
        *(f"- {name} of the Space: {text}" for name, text in record.environment.hosted.items()),
        f"- spacediff: {record.spacediff_version}",
    ]
