"""An audit's progress: bars with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Self

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as Eta

from spacediff.cli.console import Terminal
from spacediff.cli.search_progress import outlook, probe_line
from spacediff.privacy.redaction import redact_text
from spacediff.progress import SearchProgress
from spacediff.record import Fact, RunRecord
from spacediff.run import Run
from spacediff.wording import sentence, stopped_text
from spacediff.wording.numbers import duration

_PLAIN_SECONDS = 10.0
"""Without a terminal, seconds between two lines on the progress of a run."""


class Display:
    """Shows an audit's progress: bars with the time left on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._console = Terminal(stderr=True, highlight=False)
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

    def on_plan(self, runs: Sequence[Run]) -> None:
        """Show the number of clips to produce."""
        self._runs = len(runs)
        self._whole = self._bars.add_task("audit", total=len(runs), doing="clips")

    def on_notice(self, notice: Fact) -> None:
        """Print what to know before the first run."""
        self._clear()
        self._console.print(f"[yellow]note:[/] {escape(redact_text(sentence(notice)))}", soft_wrap=True)

    def on_run_started(self, run: Run) -> None:
        """Show a bar for the run."""
        if self._done == self._runs:  # the search for the cause may need more runs than expected
            self._expect(1)
        self._clear()
        self._name = run.name
        self._said = time.monotonic()
        self._current = self._bars.add_task(escape(f"{run.prompt.name} · {run.name}"), total=None, doing="")

    def on_status(self, text: str) -> None:
        """Show the current work."""
        if self._done == self._runs:  # after the runs, each text belongs to a separate task
            self._clear()
        if self._current is None:
            self._name = text
            self._current = self._bars.add_task(escape(text), total=None, doing="")
        self._bars.update(self._current, doing=escape(text))
        self._say_sometimes(text)

    def on_step(self, done: int, total: int) -> None:
        """Move the bars."""
        if self._current is None:
            return
        self._bars.update(self._current, completed=done, total=total)
        if self._whole is not None and self._done < self._runs:
            self._bars.update(self._whole, completed=self._done + done / max(total, 1))
        self._say_sometimes(f"{done} of {total}")

    def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:
        """Print the outcome of a run."""
        self._done += 1
        if self._whole is not None:
            self._bars.update(self._whole, completed=self._done)
        self._clear()
        outcome = "taken from the store" if reused else f"{record.seconds:.1f} s"
        if record.stopped is not None:
            outcome += f", {stopped_text(record.stopped)}"
        if record.failed:
            outcome = f"[yellow]not measured:[/] {escape(redact_text(record.reason))}"
        left = "" if self._console.is_terminal or self._done == self._runs else f" ({self._left()} left)"
        place = f"{escape(run.prompt.name)} · {escape(run.name)}"
        self._console.print(f"\\[{self._done}/{self._runs}] {place}: {outcome}{left}", soft_wrap=True)

    def on_search_started(self, search: SearchProgress) -> None:
        """Print the expected cost of the search for the cause."""
        self._expect(search.expected)
        self._console.print(escape(outlook(search)), soft_wrap=True)

    def on_probe_finished(
        self,
        search: SearchProgress,
        run: RunRecord,
        changed: frozenset[str],
        *,
        reproduced: bool | None,
    ) -> None:
        """Print the outcome of a probe of the search, and about how many are left."""
        self._expect(search.expected)
        self._console.print(escape(probe_line(search, run, len(changed), reproduced=reproduced)), soft_wrap=True)

    def on_search_finished(self) -> None:
        """Complete the bars."""
        self._expect(0)

    def _expect(self, more: float) -> None:
        self._runs = self._done + math.ceil(more)
        if self._whole is not None:
            self._bars.update(self._whole, total=self._runs)

    def _clear(self) -> None:
        if self._current is not None:
            self._bars.remove_task(self._current)
            self._current = None

    def _left(self) -> str:
        """Estimate the duration of the remaining runs from that of the finished ones."""
        seconds = (time.monotonic() - self._began) / self._done * (self._runs - self._done)
        return f"about {duration(seconds)}"

    def _say_sometimes(self, text: str) -> None:
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said > _PLAIN_SECONDS:
            self._said = now
            self._console.print(escape(f"      {self._name}: {text}" if text != self._name else f"      {text}"))
