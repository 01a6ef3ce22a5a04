"""The executor on a cluster: hosted clips are fetched from this machine while the workers of the cluster generate.

The records are those of the executor on one machine but for what `WHERE_AND_HOW_LONG` lists.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from spacediff.distributed.asked import Asked
from spacediff.distributed.fetching import Call, Events, Fetching, Here
from spacediff.distributed.pool import Begun, Event, Finished, Going, Pool
from spacediff.errors import ReferenceMissing
from spacediff.executor import Sequential, in_order, stored_run
from spacediff.interrupts import raise_if_interrupted
from spacediff.progress import ProgressListener
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.store.store import Store
from spacediff.worker.hosted import AuditWorker
from spacediff.worker.identity import key_of
from spacediff.worker.records import relabelled, unmeasured

WHERE_AND_HOW_LONG: dict[str, Any] = {
    "created": True,
    "seconds": True,
    "command": True,
    "forecast": True,
    "runs": {"__all__": {"seconds": True, "machine": True, "trace": {"stages": True, "shared": True}}},
    "loops": {"__all__": {"sharing": True}},
}
"""The fields of an audit's record that say where and how long: what may differ between two executors, and nothing else.

In the form of pydantic's `exclude`. `shared` and `sharing` say what runs took over from earlier ones: each worker
encodes a prompt once, so that on several it is taken over less often.
"""

_LOOKED_EVERY = 0.2


@dataclass(frozen=True)
class Hosting:
    """How the clips that are not generated on the cluster are made.

    Attributes:
        folder: The audit folder.
        quota_wait: Seconds that may be waited for GPU quotas of Spaces to be renewed.
        threads: CPU threads of torch, as on the cluster.
    """

    folder: Path
    quota_wait: float
    threads: int


class ClusterExecutor:
    """Executes the runs of an audit on the workers of a pool, and hosted ones and those of scripts from this process.

    Args:
        pool: The workers.
        hosting: How hosted clips are made.
        keep_latents: Whether a stored run without the latents of its steps is produced again.
    """

    def __init__(self, pool: Pool, hosting: Hosting, *, keep_latents: bool) -> None:
        self._pool = pool
        self._here = Here(hosting.threads)
        self._hosted = AuditWorker(self._here, hosting.folder, hosting.quota_wait)
        self._fetcher = Sequential(self._hosted, keep_latents=keep_latents)
        self._keep_latents = keep_latents
        self._events: Events = queue.SimpleQueue()
        self._asked = Asked(pool, self._events)
        self._prepared: Sequence[Run] = ()
        self._missing: set[tuple[str, str]] = set()
        self._noted = False

    @property
    def environment(self) -> Mapping[str, str]:
        """The versions and devices of the machines that generate."""
        return self._pool.environment if self._pool.workers else self._here.environment

    @property
    def at_once(self) -> int:
        """How many runs it generates at once, at most."""
        return self._pool.workers

    @property
    def generates_here(self) -> bool:
        """Whether this machine generates."""
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._asked.abandon()
        self._hosted.close()

    def prepare(self, runs: Iterable[Run], store: Store) -> None:  # noqa: ARG002 - as all executors
        """Note what will be asked for: it begins with the first hosted runs, which are fetched meanwhile.

        What a Space used instead may change it; then what has begun in vain is abandoned.
        """
        self._prepared = [run for run in runs if run.source == "diffusers"]

    def execute(self, runs: Iterable[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        """Yield the record of each run as soon as it is finished."""
        ordered = in_order(runs)
        elsewhere = [run for run in ordered if run.source == "diffusers"]
        here = [run for run in ordered if run.source != "diffusers"]
        try:
            if here:
                yield from self._fetched(here, store, listener)
            if elsewhere:
                yield from self._generated(elsewhere, store, listener)
        except BaseException:  # an interruption among them: nobody waits for what is under way
            self._asked.abandon()
            raise

    def _fetched(self, runs: Sequence[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        """Get hosted runs in a thread, while the workers generate what was prepared."""
        if not self._prepared or not self._pool.workers:
            for record in self._fetcher.execute(runs, store, listener):
                self._note(record)
                yield record
            return
        thread = Fetching(self._fetcher, runs, store, self._events)
        for run in self._prepared:
            key = key_of(run, self._pool.environment)
            if stored_run(key, store, keep_latents=self._keep_latents) is None:
                self._asked.ask(run, key, store)
        while thread.going:
            match self._next_event():
                case Call(error=BaseException() as error):
                    raise error
                case Call(record=RunRecord() as record):
                    self._note(record)
                    yield record
                case Call(say=say) if say is not None:
                    say(listener)
                case Begun() | Going() | Finished() as event:
                    self._asked.follow(event, store, listener)

    def _generated(self, runs: Sequence[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        """Get runs from the workers; what has begun and is not among them is abandoned."""
        self._notice(listener)
        waiting: dict[str, deque[Run]] = {}
        for run in runs:
            raise_if_interrupted()
            key = key_of(run, self._pool.environment)
            if key in waiting:  # one clip under two names is produced once
                waiting[key].append(run)
            elif key not in self._asked and (found := stored_run(key, store, keep_latents=self._keep_latents)):
                yield _reused(run, found, listener)
            elif key not in self._asked.done and (run.prompt.name, run.against) in self._missing:
                yield self._refused(run, key, listener)
            else:
                waiting[key] = deque([run])
        self._prepared = ()
        self._asked.abandon(but=frozenset(waiting))
        for key, alike in waiting.items():
            self._asked.ask(alike[0], key, store)
        while waiting:
            for key in [key for key in waiting if key in self._asked.done]:
                record = self._asked.done.pop(key)
                yield from self._handed_out(waiting[key], record, listener)
                if waiting[key]:
                    self._asked.ask(waiting[key][0], key, store)
                else:
                    del waiting[key]
            event = self._next_event() if waiting else None
            if event is not None and not isinstance(event, Call):
                self._asked.follow(event, store, listener)

    def _handed_out(self, alike: deque[Run], record: RunRecord, listener: ProgressListener) -> Iterator[RunRecord]:
        """Yield what came of one run, and of those that are the same clip; where there is none, they stay."""
        run = alike.popleft()
        found = relabelled(record, run)
        listener.on_run_finished(run, found, reused=False)
        self._note(found)
        yield found
        while alike and not record.failed:
            yield _reused(alike.popleft(), record, listener)

    def _refused(self, run: Run, key: str, listener: ProgressListener) -> RunRecord:
        error = ReferenceMissing("not generated, since there is no reference to compare it with")
        record = unmeasured(run, key, error, 0.0)
        listener.on_run_started(run)
        listener.on_run_finished(run, record, reused=False)
        return record

    def _note(self, record: RunRecord) -> None:
        if record.failed:
            self._missing.add((record.prompt, record.name))

    def _notice(self, listener: ProgressListener) -> None:
        if not self._noted and (notice := self._pool.left_out) is not None:
            listener.on_notice(notice)
        self._noted = True

    def _next_event(self) -> Event | Call | None:
        raise_if_interrupted()
        with suppress(queue.Empty):
            return self._events.get(timeout=_LOOKED_EVERY)
        return None


def _reused(run: Run, found: RunRecord, listener: ProgressListener) -> RunRecord:
    record = relabelled(found, run)
    listener.on_run_started(run)
    listener.on_run_finished(run, record, reused=True)
    return record
