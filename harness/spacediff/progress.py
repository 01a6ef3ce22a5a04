"""How an audit reports its progress: a protocol that any program can implement, and a listener that does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from spacediff.record import Fact, RunRecord
from spacediff.run import Run


class Progress(Protocol):
    """What one run, or one stage of an audit, reports while it works."""

    def on_status(self, text: str) -> None:
        """Called when the work changes: `loading the checkpoint`, `third in the queue of 7`."""

    def on_step(self, done: int, total: int) -> None:
        """Called after each step of the current work."""


_FRAMES_A_REPORT = 100


def report_frames(progress: Progress, done: int, expected: int) -> None:
    """Report every hundredth frame of a long clip, and nothing of a short one."""
    if expected > _FRAMES_A_REPORT and not done % _FRAMES_A_REPORT:
        progress.on_step(done, expected)


@dataclass(frozen=True)
class SearchProgress:
    """How far the search for the cause is.

    Attributes:
        suspects: Number of settings that differ between start and target.
        target: Name of the run at the target.
        probes: Runs made so far; most of them end early.
        spent: Generations so far: the denoising steps that were made, by those of a whole generation.
        budget: Generations that may be spent at most.
        expected: About how many are still to come, at most the rest of the budget.
        seconds_each: Upper estimate of the duration of one.
    """

    suspects: int
    target: str
    probes: int
    spent: float
    budget: float
    expected: float
    seconds_each: float


@dataclass(frozen=True)
class WorkerProgress:
    """How far one of several workers is.

    Attributes:
        worker: Its number, from 1.
        run: What it produces.
        text: What it does; empty where that is not known yet.
        done: Finished steps.
        total: All steps; 0 where that is unknown.
    """

    worker: int
    run: Run
    text: str = ""
    done: int = 0
    total: int = 0


class ProgressListener(Progress, Protocol):
    """What a whole audit reports. Exceptions raised by a listener end the audit; methods are called in one thread."""

    def on_plan(self, runs: Sequence[Run]) -> None:
        """Called once, before the first run."""

    def on_notice(self, notice: Fact) -> None:
        """Called before the first run, once for each thing to know before it: runs that do not fit into memory.

        It is called once more after the first generation, with what the others are expected to take.
        `spacediff.wording.sentence` makes a text of it.
        """

    def on_run_started(self, run: Run) -> None:
        """Called when a run begins."""

    def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:
        """Called when a run ended; `reused` if the store had it."""

    def on_worker(self, progress: WorkerProgress) -> None:
        """Called in place of `on_status` and `on_step` where several workers produce runs at once."""

    def on_search_started(self, search: SearchProgress) -> None:
        """Called before the first run of the search for the cause; never where it needs none."""

    def on_probe_finished(
        self, search: SearchProgress, run: RunRecord, changed: frozenset[str], *, reproduced: bool | None
    ) -> None:
        """Called after each run of the search.

        Args:
            search: How far the search is.
            run: The run; it may have ended early, without a clip.
            changed: The settings that were changed to the target's.
            reproduced: Whether nobody could see that it is not the target; None if that is unknown.
        """

    def on_search_finished(self) -> None:
        """Called when a search that has begun generates nothing more."""


class SilentListener:
    """A `ProgressListener` that ignores everything; a base for listeners that need some of the calls."""

    def on_status(self, text: str) -> None:
        """Ignore it."""

    def on_step(self, done: int, total: int) -> None:
        """Ignore it."""

    def on_plan(self, runs: Sequence[Run]) -> None:
        """Ignore it."""

    def on_notice(self, notice: Fact) -> None:
        """Ignore it."""

    def on_run_started(self, run: Run) -> None:
        """Ignore it."""

    def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:
        """Ignore it."""

    def on_worker(self, progress: WorkerProgress) -> None:
        """Ignore it."""

    def on_search_started(self, search: SearchProgress) -> None:
        """Ignore it."""

    def on_probe_finished(
        self, search: SearchProgress, run: RunRecord, changed: frozenset[str], *, reproduced: bool | None
    ) -> None:
        """Ignore it."""

    def on_search_finished(self) -> None:
        """Ignore it."""
