"""Fetching: hosted clips come to the machine of the command, in a thread, while the workers of a cluster generate."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from spacediff.distributed.pool import Event
from spacediff.executor import Sequential
from spacediff.privacy.private_prompts import private, private_texts
from spacediff.progress import ProgressListener, SilentListener
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.store.store import Store
from spacediff.worker.local import LocalWorker


@dataclass(frozen=True)
class Call:
    """What the thread that fetches has to say: a call of the listener, a record, or an error that ends the audit."""

    say: Callable[[ProgressListener], None] | None = None
    record: RunRecord | None = None
    error: BaseException | None = None


Events: TypeAlias = "queue.SimpleQueue[Event | Call]"
"""What the workers of a cluster and the thread that fetches have to say."""


class Here(LocalWorker):
    """This machine, with as many threads as the workers: what it makes has the identity that it has without a cluster.

    Args:
        threads: CPU threads of torch.
    """

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._threads = threads

    @property
    def environment(self) -> Mapping[str, str]:
        """The versions and devices of this machine."""
        return {**super().environment, "threads": str(self._threads)}


class _Relay(SilentListener):
    """Posts the calls of a thread, so that the listener gets all in one."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def on_status(self, text: str) -> None:
        self._events.put(Call(lambda listener: listener.on_status(text)))

    def on_step(self, done: int, total: int) -> None:
        self._events.put(Call(lambda listener: listener.on_step(done, total)))

    def on_run_started(self, run: Run) -> None:
        self._events.put(Call(lambda listener: listener.on_run_started(run)))

    def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:
        self._events.put(Call(lambda listener: listener.on_run_finished(run, record, reused=reused)))


class Fetching:
    """A thread that fetches hosted clips one after the other; it ends with what it waits for, or with the process.

    Args:
        fetcher: Executes them.
        runs: The runs.
        store: The finished runs.
        events: Receives the calls of the listener, and the records.
    """

    def __init__(self, fetcher: Sequential, runs: Sequence[Run], store: Store, events: Events) -> None:
        self._fetcher, self._runs, self._store, self._events = fetcher, runs, store, events
        self._words = private_texts()
        self._thread = threading.Thread(target=self._fetch, name="hosted", daemon=True)
        self._thread.start()

    @property
    def going(self) -> bool:
        """Whether more is to come."""
        return self._thread.is_alive() or not self._events.empty()

    def _fetch(self) -> None:
        try:
            with private(self._words):
                for record in self._fetcher.execute(self._runs, self._store, _Relay(self._events)):
                    self._events.put(Call(record=record))
        except BaseException as error:  # noqa: BLE001 - raised where the audit waits
            self._events.put(Call(error=error))
