"""The executor: decides in which order workers produce runs, and which runs need not be produced.

The key insight is the interface: an executor receives runs as plain data and yields a record as soon as a run is
finished, and only the store is shared. To distribute runs over many GPUs, implement `Executor`; nothing else changes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
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
from spacediff.stages import Stage, up_to
from spacediff.store.store import Store
from spacediff.worker.local import LocalWorker
from spacediff.worker.protocol import Worker
from spacediff.worker.records import relabelled, unmeasured


class Executor(Protocol):
    """Executes runs, in any order."""

    def __enter__(self) -> Self:
        """Prepare; whatever runs share is kept until the exit, for several calls of `execute`."""

    def __exit__(self, *_: object) -> None:
        """Release what runs share."""

    def execute(self, runs: Iterable[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        """Yield the record of each run as soon as it is finished; if there is no clip, the record has the reason."""


class Sequential:
    """Executes runs one after the other with one worker, ordered so that each checkpoint is loaded once.

    Args:
        worker: Produces the runs that the store does not have; closed on exit.
        keep_latents: Whether a stored run without the latents of its steps is produced again.
    """

    def __init__(self, worker: Worker, *, keep_latents: bool = True) -> None:
        self._worker = worker
        self._keep_latents = keep_latents

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.close()

    def execute(self, runs: Iterable[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        """Yield the record of each run as soon as it is finished."""
        missing: set[tuple[str, str]] = set()
        for run in _in_order(runs):
            raise_if_interrupted()
            listener.on_run_started(run)
            key = self._worker.key(run)
            stored = self._stored(key, store)
            if stored is not None:
                record = relabelled(stored, run)
            else:
                needed = (run.prompt.name, run.against) not in missing
                record = self._executed(run, key, store, listener, needed=needed)
            listener.on_run_finished(run, record, reused=stored is not None)
            if not record.measured:
                missing.add((run.prompt.name, run.name))
            yield record

    def _stored(self, key: str, store: Store) -> RunRecord | None:
        """Return the stored run; one that lacks wanted latents is discarded."""
        found = store.get(key)
        if found is not None and self._lacks_latents(found):
            store.discard(key)
            return None
        return found

    def _lacks_latents(self, run: RunRecord) -> bool:
        trace = run.trace
        return self._keep_latents and trace is not None and bool(trace.steps) and not (trace.latents or run.fed_by)

    def _executed(self, run: Run, key: str, store: Store, progress: Progress, *, needed: bool) -> RunRecord:
        """Execute a run that the store does not have. Any failure becomes a record, except that of a full disk.

        Raises:
            DiskFull: The files of the run cannot be written, so those of the next one could not be either.
        """
        began = time.monotonic()
        try:
            if not needed:
                self._refuse(run)
            with store.writing(key) as draft:
                record = self._worker.produce(run, key, draft, progress)
                store.seal(draft, record)
        except NotMeasuredError as error:
            raise_if_disk_full(error)
            return unmeasured(run, key, error, time.monotonic() - began)
        except Exception as error:  # noqa: BLE001 - the failure of one run must not end the others
            raise_if_disk_full(error)
            kind = OutOfMemory if is_out_of_memory(error) else GenerationFailed
            return unmeasured(run, key, kind(failure(error)), time.monotonic() - began)
        return record

    def _refuse(self, run: Run) -> None:
        """Refuse a run whose reference is missing, unless a missing device is the reason to report."""
        self._worker.check(run)
        raise ReferenceMissing("not generated, since there is no reference to compare it with")


class InProcess(Sequential):
    """Executes runs in this process.

    Args:
        environment: The description of this machine, from `environment()`.
        reuse: Whether a run reuses the results of an earlier one with the same settings up to that stage.
        keep_latents: Whether the latents of each step are kept.
    """

    def __init__(self, environment: Mapping[str, str], *, reuse: bool = True, keep_latents: bool = True) -> None:
        super().__init__(LocalWorker(environment, reuse=reuse, keep_latents=keep_latents), keep_latents=keep_latents)


def _in_order(runs: Iterable[Run]) -> list[Run]:
    """Sort hosted runs first, since they can fail early, then by checkpoint and by settings up to the denoising."""
    first: dict[tuple[str, str], int] = {}

    def group(run: Run) -> tuple[bool, str, int]:
        checkpoint = repr(sorted(run.settings.table("model").items()))
        shares = (up_to(run.settings, Stage.DENOISING).digest(), run.prompt.name)
        return run.source == "diffusers", checkpoint, first.setdefault(shares, len(first))

    return sorted(runs, key=group)
