"""The bars of an audit: what is done of how much, and the time passed and left, each named."""

from __future__ import annotations

from importlib.util import find_spec

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from spacediff.wording.numbers import duration

_BAR = 16
"""Columns of a bar, so that its line fits 80."""


def shows_bars(console: Console) -> bool:
    """Return whether a console can draw bars again and again: a terminal, or a notebook that has ipywidgets."""
    if console.quiet:
        return False
    return find_spec("ipywidgets") is not None if console.is_jupyter else console.is_terminal


class AuditBars(Progress):
    """The bars on a terminal or in a notebook; a finished audit leaves none. Elsewhere nothing is shown."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            TextColumn(
                "{task.description}",
                "bold",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", max_width=28),
            ),
            BarColumn(_BAR),
            State(table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            transient=True,
            disable=not shows_bars(console),
        )


class State(ProgressColumn):
    """What a bar counts: `3 of 8 clips, 1 min 12 s so far, about 2 min 5 s left`.

    Of the whole audit the time left is unknown before a clip was generated: `timed` of its task.
    """

    def render(self, task: Task) -> Text:
        """Write the state of one bar."""
        doing = task.fields["doing"]
        counted = "" if task.total is None else f"{int(task.completed)} of {int(task.total)}"
        parts = [" ".join(part for part in (counted, doing) if part)]
        if task.elapsed is not None:
            parts.append(f"{duration(int(task.elapsed))} so far")
        if task.time_remaining and task.fields.get("timed", True):
            parts.append(f"about {duration(task.time_remaining)} left")
        return Text(", ".join(part for part in parts if part), "cyan")
