"""An audit's progress: bars on a terminal, a line for each clip elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Self

from rich.progress import TaskID
from rich.text import Text

from spacediff.cli.bars import AuditBars, shows_bars
from spacediff.cli.console import Terminal
from spacediff.cli.options import Verbosity
from spacediff.cli.search_progress import outlook, probe_line
from spacediff.privacy.redaction import redact_text
from spacediff.progress import SearchProgress, WorkerProgress
from spacediff.record import Fact, RunRecord
from spacediff.run import Run
from spacediff.wording import sentence, stopped_text
from spacediff.wording.numbers import duration, seconds

_PLAIN_SECONDS = 10.0
"""Without a terminal, seconds between two lines on the work on a clip."""


class ProgressBars:
    """Shows an audit's progress on standard error.

    Args:
        verbosity: `QUIET` shows nothing; `VERBOSE` shows each clip's seconds by stage, and without a terminal also how
            far the work on it is.
    """

    def __init__(self, verbosity: Verbosity = Verbosity.NORMAL) -> None:
        self._console = Terminal(stderr=True)
        self._console.quiet = verbosity is Verbosity.QUIET
        self._verbose = verbosity is Verbosity.VERBOSE
        self._bars = AuditBars(self._console)
        self._has_bars = shows_bars(self._console)
        self._whole: TaskID | None = None
        self._current: TaskID | None = None
        self._name = ""
        self._begun = ("", "")
        self._working: dict[int, tuple[tuple[str, str], TaskID]] = {}
        self._planned: set[tuple[str, str]] = set()
        self._done = 0
        self._generated: list[float] = []
        self._expected: float | None = None
        self._reasons: dict[str, str] = {}
        self._said = 0.0
        self._probes: dict[tuple[str, str], Text] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._say_probe()
        self._bars.stop()

    def on_plan(self, runs: Sequence[Run]) -> None:
        """Show the number of clips to produce."""
        if self._whole is not None:  # of the scenario before
            self._bars.remove_task(self._whole)
        self._done, self._generated, self._expected = 0, [], None
        self._planned = {_identity(run) for run in runs}
        self._whole = self._bars.add_task("audit", total=len(self._planned), doing="clips", timed=False)

    def on_notice(self, notice: Fact) -> None:
        """Print what to know before the first run, and what is expected after it."""
        match notice.values:
            case {"seconds": float() as whole, "generations": int() as clips, "control": int() as control}:
                self._expected = whole / (clips + control)
        self._clear()
        self._console.print(Text.assemble(("note:", "yellow"), f" {redact_text(sentence(notice))}"))

    def on_run_started(self, run: Run) -> None:
        """Show a bar for the run."""
        if not self._working:  # else those that others have finished are about to be explained
            self._say_probe()
        self._clear()
        self._name, self._begun = run.name, _identity(run)
        self._said = time.monotonic()
        self._current = self._bars.add_task(f"{run.prompt.name} · {run.name}", total=None, doing="")

    def on_status(self, text: str) -> None:
        """Show the current work."""
        if self._done == len(self._planned):  # after the clips, each text belongs to a separate task
            self._clear()
        if self._current is None:
            self._name = text
            self._current = self._bars.add_task(text, total=None, doing="")
        self._bars.update(self._current, doing=text if text != self._name else "")
        self._say_sometimes(text)

    def on_step(self, done: int, total: int) -> None:
        """Move the bars."""
        if self._current is None:
            return
        self._bars.update(self._current, completed=done, total=total)
        if self._whole is not None and self._done < len(self._planned):
            self._bars.update(self._whole, completed=self._done + done / max(total, 1))
        self._say_sometimes(f"{done} of {total}")

    def on_worker(self, progress: WorkerProgress) -> None:
        """Show a bar for each worker."""
        identity = _identity(progress.run)
        if identity == self._begun:
            self._clear()
        shown, bar = self._working.get(progress.worker, (None, None))
        if bar is None or shown != identity:
            if bar is not None:
                self._bars.remove_task(bar)
            name = f"{progress.worker}: {progress.run.prompt.name} · {progress.run.name}"
            bar = self._bars.add_task(name, total=None, doing="")
            self._working[progress.worker] = identity, bar
        self._bars.update(bar, doing=progress.text, completed=progress.done, total=progress.total or None)

    def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:
        """Print the outcome of a run."""
        self._clear()
        for worker, (identity, bar) in [*self._working.items()]:
            if identity == _identity(run):
                self._bars.remove_task(bar)
                del self._working[worker]
        counted = _identity(run) in self._planned
        if counted:
            self._done += 1
            if run.is_local and not reused and record.measured:  # a file that is read is no generation
                self._generated.append(record.seconds)
        if self._whole is not None:
            self._bars.update(self._whole, completed=self._done, timed=bool(self._generated))
        said = Text.assemble(f"{run.prompt.name} · {run.name}: ", self._outcome(record, reused=reused))
        if counted:
            self._console.print(Text.assemble(f"[{self._done}/{len(self._planned)}] ", said, self._left()))
        else:
            self._probes[_identity(run)] = said
        if self._verbose and record.trace and not reused:
            self._console.print(f"      {_by_stage(record)}")

    def on_search_started(self, search: SearchProgress) -> None:
        """Print the expected cost of the search for the cause."""
        self._console.print(outlook(search))

    def on_probe_finished(
        self,
        search: SearchProgress,
        run: RunRecord,
        changed: frozenset[str],
        *,
        reproduced: bool | None,
    ) -> None:
        """Print the outcome of a probe of the search, and about how much is left."""
        about = probe_line(search, run, len(changed), reproduced=reproduced)
        said = self._probes.pop((run.prompt, run.name), None)
        self._console.print(Text.assemble(said, "; ", about) if said else about)

    def on_search_finished(self) -> None:
        """Show nothing of the search any more."""
        self._say_probe()
        self._clear()

    def _say_probe(self) -> None:
        """Print runs of the search that showed nothing by themselves, such as re-runs of the first steps."""
        for said in self._probes.values():
            self._console.print(said)
        self._probes.clear()

    def _outcome(self, record: RunRecord, *, reused: bool) -> Text:
        if record.failed:
            own = f"{record.prompt} · {record.name}"
            earlier = self._reasons.setdefault(record.reason, own)
            why = record.reason if earlier == own else f"as {earlier}"
            return Text.assemble(("not measured:", "yellow"), f" {redact_text(why)}")
        took = "taken from the store" if reused else duration(record.seconds)
        return Text(took if record.stopped is None else f"{took}, {stopped_text(record.stopped)}")

    def _clear(self) -> None:
        if self._current is not None:
            self._bars.remove_task(self._current)
            self._current = None

    def _left(self) -> str:
        """Estimate the duration of the clips to come from that of the generated ones; bars show it on a terminal.

        A single one is not asked, since it has loaded the model: what is expected after it is a notice of its own.
        """
        more, count = len(self._planned) - self._done, len(self._generated)
        each = sum(self._generated) / count if count > 1 else self._expected
        if self._has_bars or not more or not count or each is None:
            return ""
        return f" (about {duration(each * more)} left for {more} clip{'s' * (more != 1)})"

    def _say_sometimes(self, text: str) -> None:
        now = time.monotonic()
        if self._verbose and not self._has_bars and now - self._said > _PLAIN_SECONDS:
            self._said = now
            self._console.print(f"      {self._name}: {text}" if text != self._name else f"      {text}")


def _identity(run: Run) -> tuple[str, str]:
    return run.prompt.name, run.name


def _by_stage(record: RunRecord) -> str:
    stages = record.trace.stages if record.trace else []
    return ", ".join(f"{stage.name} {seconds(stage.seconds)}" for stage in stages)
