"""Print what was read of a source: a table of its settings, and below it what else matters for the call.

Most sources are one file. Then its name stands once, in the title, and each place is only a line.
"""

from __future__ import annotations

import re

from rich.table import Table
from rich.text import Text

from spacediff.cli.console import Terminal, listed, one_line, wide_terminal
from spacediff.reading.model import Alternative, Input, Reading
from spacediff.settings import Origin, Setting
from spacediff.why.apart import with_components

_PLACE = re.compile(r"([^:]+\.\w+)(?::\d|, cell \d)")
"""File and line, or file and cell."""


def show_reading(reading: Reading) -> None:
    """Print a source's settings, then its inputs, alternatives and ignored arguments, and open questions."""
    page = _Page(wide_terminal(), _only_file(reading))
    page.title(reading)
    page.settings(reading)
    page.lines("inputs: the user may change them", [
        f"{path}: {asked.kind} {asked.label!r}, {_default(asked)} ({asked.where})"
        for path, asked in reading.inputs.items()
    ])  # fmt: skip
    page.lines("alternatives: a branch decides", [
        f"{path}: " + " or ".join(_alternative(one) for one in each)
        for path, each in reading.alternatives.items()
    ])  # fmt: skip
    if len(reading.calls) > 1:
        page.lines("calls of pipelines", [call.sentence for call in reading.calls])
    page.lines("undecided: what this reading cannot exclude", [*reading.undecided])
    page.lines("ignored arguments", [
        f"{one.argument} = {one.value!r} in {one.given_to} ({one.where}): {one.advice}" for one in reading.ignored
    ])  # fmt: skip
    page.lines("notes", [note.sentence for note in reading.notes])
    page.lines("facts", [f"{name}: {fact}" for name, fact in reading.facts.items()])
    page.lines("questions: what only running it, or asking its author, could show", [
        f"what is {path}? the source says: {words} ({reading.settings[path].where})"
        for path, words in reading.unknowns.items()
    ])  # fmt: skip


class _Page:
    """Prints texts whose places are in one file, or in several if its name is empty."""

    def __init__(self, console: Terminal, file: str) -> None:
        self._console = console
        self._file = file
        self._pattern = re.compile(rf"(?<![\w./\\-]){re.escape(file)}(:(?=\d)|, (?=cell \d))") if file else None

    def title(self, reading: Reading) -> None:
        """Print the file and the call that was read."""
        pipeline = reading.settings.value("model.pipeline") or "a pipeline"
        called = f"{pipeline} is called at {self._short(reading.called_at)}" if reading.called_at else ""
        words = ": ".join(word for word in (self._file, called) if word)
        if words:
            self._console.print(Text(f"{one_line(words)}\n", "bold"))

    def settings(self, reading: Reading) -> None:
        """Print the table of settings, under the paths that a scenario has for them."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("setting", "value", "where"):
            table.add_column(column, overflow="fold")
        for path, setting in with_components(reading.settings).items():
            style = "yellow" if setting.origin is Origin.UNKNOWN else ""
            where = Text(one_line(self._short(setting.where)), "dim")
            table.add_row(Text(one_line(path)), Text(_value(setting), style), where)
        self._console.print(table)

    def lines(self, title: str, lines: list[str]) -> None:
        """Print a list with a title; nothing if it is empty."""
        listed(self._console, title, [self._short(line) for line in lines])

    def _short(self, text: str) -> str:
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda place: "line " if place[1] == ":" else "", text)


def _only_file(reading: Reading) -> str:
    """Return the file in which all settings are; empty if there are several, or none."""
    places = [_PLACE.match(setting.where) for setting in reading.settings.values()]
    files = {place[1] for place in places if place is not None}
    return files.pop() if len(files) == 1 else ""


def _default(asked: Input) -> str:
    return "without a default" if asked.default is None else f"by default {asked.default!r}"


def _alternative(one: Alternative) -> str:
    condition = f", only if {one_line(one.only_if)}" if one.only_if else ""
    return f"{_value(one.setting)} ({one.setting.where}{condition})"


def _value(setting: Setting) -> str:
    if setting.origin is Origin.UNKNOWN:
        return "?"
    return "not given" if setting.origin is Origin.DEFAULT else one_line(repr(setting.value))
