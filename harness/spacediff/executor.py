"""The executor: decides in which order workers produce runs, and which runs need not be produced.

The key insight is the interface: an executor receives runs as plain data and yields a record as soon as a run is
finished, and only the store is shared. To distribute runs over many GPUs, implement `Executor`; nothing else changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, Self

from spacediff.errors import (
    GenerationFailed,
    NotMeasuredError,
    OutOfMemory,
    ReferenceMissing,
    failure,
    is_out_of_memory,
    raise_if_disk_full,
)
from spacediff.interrupts import raise_if_interrupted
from spacediff.progress import Progress, ProgressListener
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.sources.local.numerics.switches import environment_for
from spacediff.sources.script_look import is_looked_at, looked_at, refuse_beforehand
from spacediff.stages import Stage, of_loading, up_to
from spacediff.store.store import DENOISED, Store
from spacediff.worker.hosted import AuditWorker
from spacediff.worker.identity import key_of
from spacediff.worker.local import LocalWorker
from spacediff.worker.protocol import Worker
from spacediff.worker.records import relabelled, unmeasured, with_private_inputs
from spacediff.worker.supervised import SupervisedWorker


class Executor(Protocol):
    """Executes runs, in any order."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The versions and devices of the machine that generates, name to text; see `environment()`."""

    @property
    def at_once(self) -> int:
        """How many runs it generates at once, at most."""

    @property
    def generates_here(self) -> bool:
        """Whether this machine generates, so that its memory is what runs have to fit into."""

    def __enter__(self) -> Self:
        """Prepare; whatever runs share is kept until the exit, for several calls of `execute`."""

    def __exit__(self, *_: object) -> None:
        """Release what runs share."""

    def prepare(self, runs: Iterable[Run], store: Store) -> None:
        """Begin to load and to start what runs will need, before `execute` is called with some of them."""

    def execute(self, runs: Iterable[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        """Yield the record of each run as soon as it is finished; if there is no clip, the record has the reason."""


class Sequential:
    """Executes runs one after the other with one worker, ordered so that each checkpoint is loaded once.

    Args:
        worker: Produces the runs that the store does not have; closed on exit.
        keep_latents: Whether a stored run without the latents of its steps is produced again.
        identify: Returns the identity of a run; by default that for the machine of the worker.
    """

    def __init__(
        self, worker: Worker, *, keep_latents: bool = True, identify: Callable[[Run], str] | None = None
    ) -> None:
        self._worker = worker
        self._keep_latents = keep_latents
        self._missing: set[tuple[str, str]] = set()
        self._identify = identify

    @property
    def environment(self) -> Mapping[str, str]:
        """The versions and devices of the machine that generates."""
        return self._worker.environment

    @property
    def at_once(self) -> int:
        """How many runs it generates at once."""
        return 1

    @property
    def generates_here(self) -> bool:
        """Whether this machine generates."""
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.close()

    def prepare(self, runs: Iterable[Run], store: Store) -> None:
        """Let the worker begin with the first run of each kind, at once, where nothing is stored."""
        if not store.is_empty:
            return
        ordered = in_order(runs)
        for generated in (False, True):
            first = next((run for run in ordered if (run.source == "diffusers") is generated), None)
            if first is not None:
                self._worker.prepare(first)

    def execute(self, runs: Iterable[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        """Yield the record of each run as soon as it is finished."""
        waiting = in_order(runs)
        while waiting:
            run = waiting.pop(0)
            raise_if_interrupted()
            listener.on_run_started(run)
            key = self._key(run)
            stored = self._stored(key, store)
            if stored is not None:
                record = relabelled(stored, run)
            else:
                needed = (run.prompt.name, run.against) not in self._missing
                record = self._executed(run, key, store, listener, needed=needed)
            listener.on_run_finished(run, record, reused=stored is not None)
            if record.failed:
                self._missing.add((run.prompt.name, run.name))
            yield record
            if is_looked_at(run):  # what it has no place for is said before anything else runs
                waiting.sort(key=lambda each: self._has_a_place(each, store))

    def _key(self, run: Run) -> str:
        """Return the identity of a run; that of one made elsewhere does not wait for what this machine is."""
        if self._identify is not None:
            return self._identify(run)
        return key_of(run, self._worker.environment if run.made_here else {})

    def _has_a_place(self, run: Run, store: Store) -> bool:
        """Whether the script of a run has a place for all its settings, as far as its baseline shows."""
        try:
            self._refuse_beforehand(run, store)
        except NotMeasuredError:
            return False
        return True

    def _refuse_beforehand(self, run: Run, store: Store) -> None:
        baseline = looked_at(run)
        if baseline is not None:
            refuse_beforehand(run, store.folder_of(self._key(baseline)))

    def _stored(self, key: str, store: Store) -> RunRecord | None:
        return stored_run(key, store, keep_latents=self._keep_latents)

    def _executed(self, run: Run, key: str, store: Store, progress: Progress, *, needed: bool) -> RunRecord:
        """Execute a run that the store does not have. Any failure becomes a record, except that of a full disk.

        Raises:
            DiskFull: The files of the run cannot be written, so those of the next one could not be either.
        """
        began = time.monotonic()
        try:
            if not needed:
                self._refuse(run)
            self._refuse_beforehand(run, store)
            with store.writing(key) as draft:
                record = self._worker.produce(run, key, draft, progress)
                record = with_private_inputs(record, run.prompt) if run.prompt.private else record
                store.seal(draft, record)
        except NotMeasuredError as error:
            raise_if_disk_full(error, store.folder)
            return unmeasured(run, key, error, time.monotonic() - began)
        except Exception as error:  # noqa: BLE001 - the failure of one run must not end the others
            raise_if_disk_full(error, store.folder)
            kind = OutOfMemory if is_out_of_memory(error) else GenerationFailed
            return unmeasured(run, key, kind(failure(error)), time.monotonic() - began)
        return record

    def _refuse(self, run: Run) -> None:
        """Refuse a run whose reference is missing, unless a missing device is the reason to report."""
        self._worker.check(run)
        raise ReferenceMissing("not generated, since there is no reference to compare it with")


def stored_run(key: str, store: Store, *, keep_latents: bool) -> RunRecord | None:
    """Return a stored run; one that lacks wanted latents is discarded, unless its source keeps none."""
    found = store.get(key)
    if found is not None and found.source == "diffusers" and keep_latents and _lacks_latents(found):
        store.discard(key)
        return None
    return found


def _lacks_latents(run: RunRecord) -> bool:
    trace = run.trace
    if run.stopped is not None:  # what it was compared with is in its record
        return False
    return trace is not None and bool(trace.steps) and not (trace.latents or run.fed_by)


def executor_for(
    runs: Iterable[Run],
    folder: Path,
    *,
    reuse: bool = True,
    keep_latents: bool = True,
    quota_wait: float = 0.0,
    threads: int | None = None,
) -> Sequential:
    """Return the executor of an audit: runs are generated one after the other in a process of their own.

    Args:
        runs: What will be executed; without a local run no process is started.
        folder: The audit folder.
        reuse: Whether a run reuses the results of an earlier one with the same settings up to that stage.
        keep_latents: Whether the latents of each step are kept.
        quota_wait: Seconds that may be waited for GPU quotas of Spaces to be renewed.
        threads: CPU threads of torch; by default as many as it takes by itself.
    """
    generating: Worker
    sources = {run.source for run in runs}
    if "diffusers" in sources:
        generating = SupervisedWorker(folder / DENOISED, reuse=reuse, keep_latents=keep_latents, threads=threads)
    else:  # what torch would compute with has no part in a comparison of files
        generating = LocalWorker(computing=sources != {"video"})
    return Sequential(AuditWorker(generating, folder, quota_wait), keep_latents=keep_latents)


def in_order(runs: Iterable[Run]) -> list[Run]:
    """Sort hosted runs first, since they can fail early, then by process, checkpoint and settings up to denoising.

    Of local runs those begin that others are compared with, and what shares their checkpoint, since without them the
    others are not generated. Of a script, the run into which nothing is put comes before them, since it shows what can
    be put in, and its re-run last, since that is a process of its own, while the others may share one.
    """
    given = list(runs)
    needed = {(run.prompt.name, run.against) for run in given}
    references = [run for run in given if (run.prompt.name, run.name) in needed]
    loaded = {_loaded(run) for run in references}
    first: dict[tuple[str, str], int] = {}

    def group(run: Run) -> tuple[bool, int, bool, tuple[str, str], int]:
        shares = (up_to(run.settings, Stage.DENOISING).digest(), run.prompt.name)
        later = 0 if run.source != "script" else 2 if run.repeat else int(not is_looked_at(run))
        loads = _loaded(run)
        return run.source == "diffusers", later, loads not in loaded, loads, first.setdefault(shares, len(first))

    others = [run for run in given if (run.prompt.name, run.name) not in needed]
    return sorted([*references, *others], key=group)


def _loaded(run: Run) -> tuple[str, str]:
    """Return what a run's process and its checkpoint depend on."""
    return repr(sorted(environment_for(run.settings).items())), repr(of_loading(run.settings))
