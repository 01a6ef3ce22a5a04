"""The forecast of an audit: what its runs take, reported before the first and again after the first generation.

`fitting/` computes it; here it is decided which runs are still to come, and when what is known of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from spacediff.errors import SpacediffError
from spacediff.executor import Executor
from spacediff.fitting.assessment import assess
from spacediff.fitting.disk import OnDisk, bytes_of_ends, largest_bytes, used_bytes
from spacediff.fitting.expectation import Measured, Todo, expectation, measured_before, measured_by
from spacediff.fitting.refusal import refuse_what_cannot_begin
from spacediff.plan import Plan
from spacediff.progress import ProgressListener
from spacediff.record import RunRecord, read_record
from spacediff.store.store import DENOISED, Store
from spacediff.worker.identity import key_of


def forecast(plan: Plan, store: Store, executor: Executor, listener: ProgressListener) -> Measured | None:
    """Report what the runs take and whether they fit; return what a generation took in an earlier audit, if one did.

    Raises:
        MachineTooSmall: The memory or the disk cannot hold what is to be generated.
    """
    assessed = assess(plan, store.folder, listener)
    for notice in assessed.notices:
        listener.on_notice(notice)
    todo = _todo(plan, store, executor)
    if not todo.runs:
        return None
    refuse_what_cannot_begin(todo, assessed)
    measured = None if store.is_empty else _measured_in(store.folder, todo, executor)
    listener.on_notice(expectation(todo, assessed.disk, measured=measured, memory=assessed.memory))
    return measured


def with_forecast(
    records: Iterable[RunRecord], plan: Plan, store: Store, executor: Executor, listener: ProgressListener
) -> Iterator[RunRecord]:
    """Pass on records; after the first generation, report what the others are expected to take."""
    rest = iter(records)
    for record in rest:
        yield record
        if measured := measured_by(record):
            if (todo := _todo(plan, store, executor)).runs:
                ends = bytes_of_ends(largest_bytes(store.folder / DENOISED))  # of a resumed audit, several may be there
                left = OnDisk(used_bytes(store.folder_of(record.key)), ends=ends)
                listener.on_notice(expectation(todo, left, measured=measured))
            break
    yield from rest


def _todo(plan: Plan, store: Store, executor: Executor) -> Todo:
    """Return what is not generated yet."""
    local = {run.key({}): run for run in plan.runs if run.is_local}.values()
    missing = [run for run in local if store.is_empty or not store.has(key_of(run, executor.environment))]
    return Todo(missing, plan.explain, store.folder)


def _measured_in(folder: Path, todo: Todo, executor: Executor) -> Measured | None:
    try:
        earlier = read_record(folder)
    except SpacediffError:
        return None  # none, or none that can be read
    return measured_before(earlier.runs, todo.runs, earlier.environment.local, executor.environment)
