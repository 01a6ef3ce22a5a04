"""Print tables: the settings of a source, the differences between two sources, and the checks of this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.table import Table
from rich.text import Text

from spacediff.cli.console import Terminal, listed, one_line, printable
from spacediff.doctor import Check
from spacediff.reading.model import Alternative, Reading
from spacediff.settings import Origin, Setting
from spacediff.why.candidate_calls import ComparedCall
from spacediff.why.differences import UNSET, ComparedSettings
from spacediff.why.effects import Effect
from spacediff.why.headline import headline
from spacediff.why.patch import Advice

_WIDE = 120
"""Smallest width of a table in a file or a pipe, so that names are not wrapped and can be searched for."""


def show_checks(checks: Iterable[Check]) -> None:
    """Print the checks of the doctor."""
    console = Terminal(highlight=False)
    for check in checks:
        mark = ("yes ", "green") if check.fine else ("no  ", "yellow")
        console.print(Text.assemble(mark, (f"{check.name}: ", "bold"), check.found), soft_wrap=True)
        if check.hint:
            console.print(Text(f"    {check.hint}"), soft_wrap=True)


def show_differences(found: ComparedSettings, advice: Advice, calls: Sequence[ComparedCall] = ()) -> None:
    """Print the differences between two sources, what is known about them, and how to change the script."""
    console = Terminal(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _WIDE)
    console.print(Text(printable(headline(found)), "bold"), soft_wrap=True)
    listed(console, "calls that may be the main one", [one_line(call.sentence) for call in calls])
    if found.differences:
        console.print(_differences_table(found))
    listed(console, "what else differs and cannot be compared as values", [
        one_line(line) for effect in found.effects for line in _effect(effect)
    ])  # fmt: skip
    changes = {**advice.by_hand, **advice.changes}
    listed(console, "what to change in the script", [
        f"{row.path}: {'by hand: ' * (row.path in advice.by_hand)}{changes[row.path]}"
        for row in found.differences
        if row.path in changes
    ])  # fmt: skip
    causes = [*(row.known for row in found.differences), *(effect.known for effect in found.effects)]
    known = {cause.name: f"{cause.name}: {cause.looks} ({cause.source})" for cause in causes if cause}
    listed(console, "what is known", [*known.values()])
    listed(console, "questions: what reading cannot show", [one_line(question) for question in found.questions])
    listed(console, "only under conditions", [one_line(condition) for condition in found.conditions])
    listed(console, "notes", [one_line(note) for note in found.notes])


def _differences_table(found: ComparedSettings) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("setting", "script", "Space", "typical size"):
        table.add_column(column, overflow="fold")
    for row in found.differences:
        sides = [Text.assemble(_side(side), (f"\n{one_line(side.where)}", "dim")) for side in (row.left, row.right)]
        table.add_row(Text(one_line(row.path), "bold"), *sides, row.known.size if row.known else "not known")
    return table


def _effect(effect: Effect) -> Iterator[str]:
    change = f": {effect.known.change}" if effect.known else ""
    yield f"{effect.kind}: {effect.agreement}{change}"
    for name, lines in (("script", effect.script), ("Space", effect.space)):
        yield from (f"  {name}: {line}" for line in lines)


def show_reading(reading: Reading) -> None:
    """Print a source's settings, then its inputs, alternatives and ignored arguments, and open questions."""
    console = Terminal(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("path", "value", "origin", "where"):
        table.add_column(column, overflow="fold")
    for path, setting in reading.settings.items():
        style = "yellow" if setting.origin is Origin.UNKNOWN else ""
        table.add_row(
            Text(one_line(path)), Text(_value(setting), style), Text(setting.origin, style), one_line(setting.where)
        )
    console.print(table)
    listed(console, "inputs: the user may change them", [
        f"{path}: {asked.kind} {asked.label!r}, by default {asked.default!r} ({asked.where})"
        for path, asked in reading.inputs.items()
    ])  # fmt: skip
    listed(console, "alternatives: a branch decides", [
        f"{path}: " + " or ".join(_alternative(one) for one in each)
        for path, each in reading.alternatives.items()
    ])  # fmt: skip
    if len(reading.calls) > 1:
        listed(console, "calls of pipelines", [one_line(call.sentence) for call in reading.calls])
    listed(console, "undecided: what this reading cannot exclude", [one_line(text) for text in reading.undecided])
    listed(console, "ignored arguments", [
        f"{one.argument} = {one.value!r} in {one.given_to} ({one.where}): {one.advice}" for one in reading.ignored
    ])  # fmt: skip
    listed(console, "notes", [note.sentence for note in reading.notes])
    listed(console, "facts", [f"{name}: {fact}" for name, fact in reading.facts.items()])
    listed(console, "questions: what only running it, or asking its author, could show", [
        f"what is {path}? the source says: {words} ({reading.settings[path].where})"
        for path, words in reading.unknowns.items()
    ])  # fmt: skip


def _alternative(one: Alternative) -> str:
    condition = f", only if {one_line(one.only_if)}" if one.only_if else ""
    return f"{_value(one.setting)} ({one.setting.where}{condition})"


def _side(setting: Setting) -> str:
    """Return the value that a source uses, whether it sets it or not."""
    return setting.value if setting is UNSET else one_line(repr(setting.value))


def _value(setting: Setting) -> str:
    if setting.origin is Origin.UNKNOWN:
        return "?"
    return "not given" if setting.origin is Origin.DEFAULT else one_line(repr(setting.value))
