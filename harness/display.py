"""What the command line shows: progress while it works, a summary when it is done; colour on a terminal only."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as Eta
from rich.table import Table
from rich.text import Text

from harness.advice import Advice
from harness.doctor import Check
from harness.errors import SpacediffError
from harness.plan import Run
from harness.reading.model import Reading
from harness.record import (
    ASIDE,
    RERUN_CONTROL,
    AuditRecord,
    CauseRecord,
    ComparisonRecord,
    GateStatus,
    Role,
    RunRecord,
    Verdict,
)
from harness.reporting.inside import in_order, place_of
from harness.reporting.numbers import duration, number
from harness.settings import Origin, Setting
from harness.why import UNSAID, Comparison

if TYPE_CHECKING:
    from harness.causes import Subset
    from harness.explain import Explaining

_NARROW = 72
"""Columns below which the table keeps to verdict and drift."""

_WIDE = 120
"""Columns, at least, of a table that goes into a file or a pipe, where names are looked for."""

_PLAIN_SECONDS = 10.0
"""Without a terminal a long run says every so often how far it is."""

_LONGEST_LINE = 300
"""Characters of a read text that are shown."""

_STYLES = {
    Verdict.IDENTICAL: "green",
    Verdict.CODEC_ONLY: "green",
    Verdict.NUMERIC_DRIFT: "cyan",
    Verdict.SETTINGS_DIFFER: "yellow",
    Verdict.DIFFERENT_SAMPLE: "magenta",
}
_GATE_STYLES = {GateStatus.HOLDS: "bold green", GateStatus.FAILS: "bold red", GateStatus.NOT_MEASURED: "bold yellow"}


class _Console(Console):
    """A console that falls silent when nobody reads on: the exit code still tells what came out."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


class Display:
    """Shows an audit's progress: bars with the time left on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._console = _Console(stderr=True, highlight=False)
        self._bars = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[doing]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            Eta(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._whole: TaskID | None = None
        self._current: TaskID | None = None
        self._name = ""
        self._runs = 0
        self._done = 0
        self._said = 0.0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def planned(self, runs: Sequence[Run]) -> None:
        """Show how much there is to do."""
        self._runs = len(runs)
        self._whole = self._bars.add_task("audit", total=len(runs), doing="clips")

    def started(self, run: Run) -> None:
        """Show a run's own bar."""
        if self._done == self._runs:  # the search for the cause may take more runs than it was thought to
            self._expect(1)
        self._name = run.name
        self._said = time.monotonic()
        self._current = self._bars.add_task(escape(f"{run.prompt.name} · {run.name}"), total=None, doing="")

    def status(self, text: str) -> None:
        """Show what is being done."""
        if self._done == self._runs:  # the runs are over: each text is a task of its own
            self._clear()
        if self._current is None:
            self._name = text
            self._current = self._bars.add_task(escape(text), total=None, doing="")
        self._bars.update(self._current, doing=escape(text))
        self._say_sometimes(text)

    def step(self, done: int, total: int) -> None:
        """Move the bars."""
        if self._current is None:
            return
        self._bars.update(self._current, completed=done, total=total)
        if self._whole is not None and self._done < self._runs:
            self._bars.update(self._whole, completed=self._done + done / max(total, 1))
        self._say_sometimes(f"{done} of {total}")

    def finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:
        """Say how a run ended."""
        self._done += 1
        if self._whole is not None:
            self._bars.update(self._whole, completed=self._done)
        self._clear()
        outcome = "taken from the store" if reused else f"{record.seconds:.1f} s"
        if not record.measured:
            outcome = f"[yellow]not measured:[/] {escape(record.reason)}"
        left = "" if self._console.is_terminal or self._done == self._runs else f" ({self._left()} left)"
        place = f"{escape(run.prompt.name)} · {escape(run.name)}"
        self._console.print(f"\\[{self._done}/{self._runs}] {place}: {outcome}{left}", soft_wrap=True)

    def searching(self, going: Explaining) -> None:
        """Say what the search for the cause will take, before it begins."""
        from harness.search_words import outlook

        self._expect(going.more)
        self._console.print(escape(outlook(going)), soft_wrap=True)

    def probed(self, going: Explaining, run: RunRecord, changed: Subset, *, reached: bool) -> None:
        """Say what a probe of the search has shown, and about how many there will be."""
        from harness.search_words import probe_line

        self._expect(going.more)
        self._console.print(escape(probe_line(going, run, changed, reached=reached)), soft_wrap=True)

    def searched(self) -> None:
        """Let the bars end where the search did."""
        self._expect(0)

    def _expect(self, more: int) -> None:
        self._runs = self._done + more
        if self._whole is not None:
            self._bars.update(self._whole, total=self._runs)

    def _clear(self) -> None:
        if self._current is not None:
            self._bars.remove_task(self._current)
            self._current = None

    def _left(self) -> str:
        """Return how long the runs to come will take if they take as long as those that are done."""
        seconds = (time.monotonic() - self._began) / self._done * (self._runs - self._done)
        return f"about {duration(seconds)}"

    def _say_sometimes(self, text: str) -> None:
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said > _PLAIN_SECONDS:
            self._said = now
            self._console.print(escape(f"      {self._name}: {text}"))


def show_error(error: SpacediffError) -> None:
    """Print an expected failure as one paragraph."""
    console = _Console(stderr=True, highlight=False)
    console.print(Text.assemble(("error: ", "bold red"), error.message), soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("hint: ", "bold"), error.hint), soft_wrap=True)


def show_summary(record: AuditRecord, report: Path) -> None:
    """Print what came out, and where the report is."""
    console = _Console(highlight=False)
    console.print()
    console.print(Text(record.title, "bold"), soft_wrap=True)
    for prompt in record.prompts:
        compared = [c for c in record.comparisons if c.prompt == prompt.name]
        shown = [c for c in compared if _worth_a_row(record, c)]
        if shown:
            console.print(_table(record, prompt.name, shown, narrow=console.width < _NARROW))
        if places := _places(record, prompt.name):
            console.print(Text.assemble(("inside the loop, ", "bold"), places), soft_wrap=True)
        for line in _again(record, prompt.name):
            console.print(Text.assemble((f"{line[0]}: ", "bold"), line[1]), soft_wrap=True)
        for text, names in _remarks(shown).items():
            console.print(Text.assemble((f"{', '.join(names)}: ", "bold"), text), soft_wrap=True)
    _show_cause(console, record.cause)
    _show_notes(console, record.runs)
    if not record.finished:
        console.print(Text("interrupted: the same command goes on from here", "bold yellow"))
    if record.gate.variant or (record.gate.reasons and record.finished):
        asked = [f"gate on {record.gate.variant}: {record.gate.status}"] if record.gate.variant else []
        headline, *reasons = [*asked, *record.gate.reasons]
        style = _GATE_STYLES.get(record.gate.status, "bold")
        outcome = Text.assemble((headline, style), *(f"\n      {reason}" for reason in reasons))
        console.print(outcome, soft_wrap=True)
    console.print(Text.assemble(("report: ", "bold"), str(report)), soft_wrap=True)


def _show_cause(console: Console, cause: CauseRecord | None) -> None:
    if cause is None:
        return
    console.print(Text.assemble(("cause: ", "bold"), cause.sentence), soft_wrap=True)
    for each in cause.interactions:
        console.print(Text(f"       {each.sentence}"), soft_wrap=True)
    for text in cause.outside:
        console.print(Text.assemble(("outside the settings: ", "bold"), text), soft_wrap=True)


def _show_notes(console: Console, runs: Iterable[RunRecord]) -> None:
    """Print what was ignored, and what could not be had."""
    for run in runs:
        for ignored in run.ignored if run.role not in ASIDE else []:
            advice = f"; {ignored.advice}" if ignored.advice else ""
            text = f"{run.name}: {ignored.argument} = {ignored.value!r} was accepted by {ignored.given_to} but ignored"
            console.print(Text.assemble(("note: ", "bold"), text, advice), soft_wrap=True)
        if not run.measured:
            reason = f"{run.name} ({run.prompt}): {run.reason}" + (f"\n      {run.hint}" if run.hint else "")
            console.print(Text.assemble(("not measured: ", "bold yellow"), reason), soft_wrap=True)


def show_checks(checks: Iterable[Check]) -> None:
    """Print what the doctor found."""
    console = _Console(highlight=False)
    for check in checks:
        mark = ("yes ", "green") if check.fine else ("no  ", "yellow")
        console.print(Text.assemble(mark, (f"{check.name}: ", "bold"), check.found), soft_wrap=True)
        if check.hint:
            console.print(Text(f"    {check.hint}"), soft_wrap=True)


def show_differences(found: Comparison, advice: Advice) -> None:
    """Print what two sources set differently, what is known about it, and what to do."""
    console = _Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _WIDE)
    if not found.differences:
        console.print("no setting that was read differs")
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("setting", "script", "Space", "tends to be"):
            table.add_column(column, overflow="fold")
        for row in found.differences:
            sides = [Text.assemble(_side(side), (f"\n{_line(side.where)}", "dim")) for side in (row.left, row.right)]
            table.add_row(Text(_line(row.path), "bold"), *sides, row.known.size if row.known else "not known")
        console.print(table)
    console.print(f"{found.equal} other settings agree, defaults included")
    changes = {**advice.by_hand, **advice.changes}
    _list(console, "what to change in the script", [
        f"{row.path}: {'by hand: ' * (row.path in advice.by_hand)}{changes[row.path]}" for row in found.differences
    ])  # fmt: skip
    known = {row.known.name: row.known for row in found.differences if row.known}
    _list(console, "what is known", [f"{cause.name}: {cause.looks} ({cause.source})" for cause in known.values()])
    _list(console, "notes", [_line(note) for note in found.notes])
    _list(console, "questions: what reading cannot tell", [_line(question) for question in found.questions])


def show_reading(reading: Reading) -> None:
    """Print what a source says: its settings, then what the user gives, what is undecided, and what is missing."""
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("path", "value", "origin", "where"):
        table.add_column(column, overflow="fold")
    for path, setting in reading.settings.items():
        style = "yellow" if setting.origin is Origin.UNKNOWN else ""
        table.add_row(
            Text(_line(path)), Text(_value(setting), style), Text(setting.origin, style), _line(setting.where)
        )
    console.print(table)
    _list(console, "inputs: the user may change them", [
        f"{path}: {asked.kind} {asked.label!r}, by default {asked.default!r} ({asked.where})"
        for path, asked in reading.inputs.items()
    ])  # fmt: skip
    _list(console, "alternatives: a branch decides", [
        f"{path}: " + " or ".join(f"{_value(setting)} ({setting.where})" for setting in each)
        for path, each in reading.alternatives.items()
    ])  # fmt: skip
    _list(console, "ignored: given where the library does not look", [
        f"{one.argument} = {one.value!r} in {one.given_to} ({one.where}): {one.advice}" for one in reading.ignored
    ])  # fmt: skip
    _list(console, "notes", [note.sentence for note in reading.notes])
    _list(console, "facts", [f"{name}: {fact}" for name, fact in reading.facts.items()])
    _list(console, "questions: what only running it, or its author, could tell", [
        f"what is {path}? the source says: {words} ({reading.settings[path].where})"
        for path, words in reading.unknowns.items()
    ])  # fmt: skip


def _list(console: Console, title: str, lines: list[str]) -> None:
    if lines:
        console.print(Text(f"\n{title}", "bold"))
    for line in lines:
        console.print(Text(f"  {_line(line)}"), soft_wrap=True)


def _side(setting: Setting) -> str:
    """Return a value that is in force, whoever set it."""
    return setting.value if setting is UNSAID else _line(repr(setting.value))


def _value(setting: Setting) -> str:
    if setting.origin is Origin.UNKNOWN:
        return "?"
    return "not given" if setting.origin is Origin.DEFAULT else _line(repr(setting.value))


def _line(text: str) -> str:
    """Return a stranger's text as one bounded line that moves no cursor."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def _worth_a_row(record: AuditRecord, comparison: ComparisonRecord) -> bool:
    return record.run(comparison.prompt, comparison.candidate).role in {Role.BASELINE, Role.VARIANT}


def _again(record: AuditRecord, prompt: str) -> list[tuple[str, str]]:
    """Return what came of doing the same once more: here, and on the host."""
    here = [("re-run", each.found) for each in record.controls if (each.prompt, each.name) == (prompt, RERUN_CONTROL)]
    there = [
        (each.candidate, f"the host asked again, against its first clip: {each.verdict}")
        for each in record.comparisons
        if each.prompt == prompt and record.run(prompt, each.candidate).role is Role.REPEAT
    ]
    return here + there


def _remarks(comparisons: Sequence[ComparisonRecord]) -> dict[str, list[str]]:
    """Return what was noticed or stood in the way, each with the runs that it holds for."""
    found: dict[str, list[str]] = {}
    for comparison in comparisons:
        incomparable = comparison.verdict is Verdict.NOT_COMPARABLE
        for text in [*comparison.notes, *(comparison.evidence if incomparable else [])]:
            names = found.setdefault(text, [])
            names += [comparison.candidate] * (comparison.candidate not in names)
    return found


def _places(record: AuditRecord, prompt: str) -> str:
    """Say in one line where the variants part from inside, the earliest stage first."""
    traces = [trace for trace in in_order(record.traces) if trace.prompt == prompt]
    found: dict[str, list[str]] = {}
    for trace in traces:
        if record.run(prompt, trace.candidate).role in {Role.BASELINE, Role.VARIANT}:
            found.setdefault(place_of(trace), []).append(trace.candidate)
    parts = "; ".join(f"{place}: {', '.join(names)}" for place, names in found.items())
    return f"first parting from {traces[0].reference} {parts}" if parts else ""


def _table(record: AuditRecord, prompt: str, comparisons: Sequence[ComparisonRecord], *, narrow: bool) -> Table:
    table = Table(
        title=f"{prompt}: held against {comparisons[0].reference}", title_justify="left", box=None, pad_edge=False
    )
    table.add_column("variant", no_wrap=True)
    table.add_column("verdict")
    table.add_column("drift", justify="right")
    metrics = [] if narrow else record.metrics
    for metric in metrics:
        table.add_column(f"{metric.title}\n{metric.unit}".strip(), justify="right", vertical="bottom")
    for comparison in sorted(comparisons, key=_closeness):
        values = [comparison.metrics.get(metric.name) for metric in metrics]
        table.add_row(
            escape(comparison.candidate),
            Text(comparison.verdict, _STYLES.get(comparison.verdict, "yellow")),
            "-" if comparison.drift is None else f"{comparison.drift:.3f}",
            *(
                "-" if value is None else number(value.pooled, metric)
                for value, metric in zip(values, metrics, strict=True)
            ),
        )
    return table


def _closeness(comparison: ComparisonRecord) -> tuple[bool, float, str]:
    drift = comparison.drift
    return not comparison.metrics, math.inf if drift is None else drift, comparison.candidate
