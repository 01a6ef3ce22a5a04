"""The forecast of an audit: what its runs take, reported before the first and again after the first generation.

`fitting/` computes it; here it is decided which runs are still to come, and when what is known of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from spacediff.devices import type_of
from spacediff.errors import SpacediffError
from spacediff.executor import Executor
from spacediff.explaining.determinism import control_to_come
from spacediff.fitting.assessment import Assessment, assess
from spacediff.fitting.disk import OnDisk, bytes_of_ends, largest_bytes, used_bytes
from spacediff.fitting.expectation import Measured, Todo, expectation, measured_before, measured_by
from spacediff.fitting.refusal import refuse_what_cannot_begin
from spacediff.plan import Plan
from spacediff.progress import ProgressListener
from spacediff.record import CostRecord, Fact, ForecastRecord, Role, RunRecord, TakenRecord, read_record
from spacediff.run import Run
from spacediff.store.store import DENOISED, Store
from spacediff.worker.identity import key_of


class Forecast:
    """Reports what the generations of an audit take, and keeps what it reported beside what they took.

    Args:
        plan: The plan.
        store: The finished runs.
        executor: Executes the others.
        listener: Receives what is expected.
    """

    def __init__(self, plan: Plan, store: Store, executor: Executor, listener: ProgressListener) -> None:
        self._plan = plan
        self._store = store
        self._executor = executor
        self._listener = listener
        self._expected: list[Fact] = []
        self._begun: frozenset[tuple[str, str]] = frozenset()
        self._measured: Measured | None = None

    def begin(self) -> None:
        """Report what the runs take and whether they fit, before the first of them.

        Raises:
            MachineTooSmall: The memory or the disk cannot hold what is to be generated, and it is not tried anyway.
        """
        here = self._executor.generates_here
        assessed = assess(self._plan, self._store.folder, self._listener) if here else Assessment()
        for notice in assessed.notices:
            self._listener.on_notice(notice)
        todo = self._todo()
        self._begun = frozenset((run.prompt.name, run.name) for run in todo.runs)
        if not todo.runs and not todo.control:
            return
        if not self._plan.anyway:
            refuse_what_cannot_begin(todo, assessed)
        self._measured = None if self._store.is_empty else _measured_in(self._store.folder, todo, self._executor)
        self._report(expectation(todo, assessed.disk, measured=self._measured, memory=assessed.memory))

    def replace_plan(self, plan: Plan) -> None:
        """Take over a plan whose local runs have changed since the beginning."""
        if plan.runs != self._plan.runs:
            self._plan = plan
            self._begun = frozenset((run.prompt.name, run.name) for run in self._todo().runs)

    def follow(self, records: Iterable[RunRecord]) -> Iterator[RunRecord]:
        """Pass on records; after the first generation, report what the others are expected to take.

        Where an earlier audit has shown it, that was reported at the beginning.
        """
        rest = iter(records)
        for record in rest if self._measured is None else ():
            yield record
            if measured := measured_by(record):
                if (todo := self._todo()).runs:
                    # of a resumed audit, several ends may be there
                    ends = bytes_of_ends(largest_bytes(self._store.folder / DENOISED))
                    left = OnDisk(used_bytes(self._store.folder_of(record.key)), ends=ends)
                    self._report(expectation(todo, left, measured=measured))
                break
        yield from rest

    def record(
        self, runs: Sequence[RunRecord], cost: CostRecord | None, *, seconds: float, search_seconds: float
    ) -> ForecastRecord | None:
        """Return what was expected beside what it took; None where nothing was expected.

        Args:
            runs: The runs of the plan, of the search and of the control.
            cost: What the search has cost; None without one.
            seconds: Wall time of the planned runs and of the control.
            search_seconds: Wall time of the search.
        """
        if not self._expected:
            return None
        made = [run for run in runs if (run.prompt, run.name) in self._begun]
        found = [measured for run in runs if (measured := measured_by(run)) is not None]
        largest = max(found, key=lambda each: each.peak, default=None)
        taken = TakenRecord(
            generations=sum(run.measured for run in made),
            control=sum(run.measured and run.role is Role.DETERMINISTIC for run in runs),
            search=cost.generations if cost else 0.0,
            seconds=seconds,
            search_seconds=search_seconds,
            device="" if largest is None or type_of(largest.device) == "cpu" else largest.device,
            memory=largest.peak if largest else None,
            disk=used_bytes(self._store.folder),
        )
        return ForecastRecord(expected=list(self._expected), taken=taken)

    def _report(self, expected: Fact) -> None:
        self._expected.append(expected)
        self._listener.on_notice(expected)

    def _todo(self) -> Todo:
        """Return what is not generated yet."""
        store, executor = self._store, self._executor
        local = {run.key({}): run for run in self._plan.runs if run.is_local}.values()
        # asked for only where there is such a run: what this machine is, is known when torch is imported
        missing = [run for run in local if store.is_empty or not store.has(key_of(run, executor.environment))]
        return Todo(missing, self._plan.explain, store.folder, control_to_come(self._plan, self._finished))

    def _finished(self, run: Run) -> RunRecord | None:
        return None if self._store.is_empty else self._store.get(key_of(run, self._executor.environment))


def _measured_in(folder: Path, todo: Todo, executor: Executor) -> Measured | None:
    try:
        earlier = read_record(folder)
    except SpacediffError:
        return None  # none, or none that can be read
    return measured_before(earlier.runs, todo.runs, earlier.environment.local, executor.environment)
