"""The pool: a thread for each worker of a cluster, which takes runs from the schedule and brings back what they leave.

All workers that take part are of one kind: the same versions, processor, device and threads. The first kind with the
most workers is chosen; others are let go, since what they make could not be compared with the rest.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spacediff import __version__
from spacediff.distributed.actor import Outcome, Terms, Working
from spacediff.distributed.capacity import Need
from spacediff.distributed.cluster import Actor, Cluster, WorkerLostError
from spacediff.distributed.schedule import Job, Schedule
from spacediff.distributed.transfer import (
    NoRoomError,
    Sent,
    SharedFolder,
    arrived,
    pieces,
    read_piece,
    write_piece,
)
from spacediff.environment import OF_SOME_RUNS, determining
from spacediff.environments.resolved import Resolved
from spacediff.errors import ClusterUnavailable, TransferFailed, WorkerDied
from spacediff.interrupts import raise_if_interrupted
from spacediff.record import Fact, FactKind, fact
from spacediff.worker.messages import PlainRun

_SOON = 10.0
"""Seconds that workers have to begin after the first one, to be counted when a kind is chosen."""
_LOOKED_EVERY = 0.2
_MOST_STARTS = 3
"""A worker that does not start so often is given up."""
_PATIENCE = 120.0
"""Seconds after which runs are given up that no worker is left for."""


@dataclass(frozen=True)
class Order:
    """A run that a pool is asked for.

    Attributes:
        job: It, as the schedule sees it.
        run: The run.
        key: Its identity.
        folder: The audit folder.
        needs: Files of that folder that the run is compared with.
        draft: The folder for its files.
        words: Texts that are removed from everything that is written.
        environment: What its environment comes to; None for a run in that of the workers.
    """

    job: Job
    run: PlainRun
    key: str
    folder: Path
    needs: tuple[Sent, ...]
    draft: Path
    words: tuple[str, ...]
    environment: Resolved | None = None


@dataclass(frozen=True)
class Begun:
    """A run has begun on a worker."""

    number: int
    worker: int


@dataclass(frozen=True)
class Going:
    """How far a run is."""

    number: int
    worker: int
    working: Working


@dataclass(frozen=True)
class Finished:
    """What came of a run: its record and files, or the error that kept it from being made."""

    number: int
    outcome: Outcome | Exception


Event = Begun | Going | Finished
Post = Callable[[Event], None]


class Pool:
    """Workers that produce runs for any number of audits.

    Args:
        cluster: Where they are.
        need: What each occupies.
        terms: How they generate.
        workers: How many there should be.
    """

    def __init__(self, cluster: Cluster, need: Need, terms: Terms, workers: int) -> None:
        self._cluster, self._need, self._terms = cluster, need, terms
        self._through = SharedFolder(terms.shared) if terms.shared else None
        self._schedule = Schedule()
        self._changed = threading.Condition()
        self._orders: dict[int, tuple[Order, Post]] = {}
        self._numbers = 0
        self._actors: dict[int, Actor] = {}
        self._environments: dict[int, Mapping[str, str]] = {}
        self._kind: Mapping[str, str] | None = None
        self._failure: Exception | None = None
        self._starts: Counter[int] = Counter()
        self._given_up = 0
        self._closing = False
        self._alone_since: float | None = None
        self._threads = [
            threading.Thread(target=self._serve, args=(number,), name=f"worker-{number}", daemon=True)
            for number in range(1, workers + 1)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def environment(self) -> Mapping[str, str]:
        """The versions and devices of the machines that generate.

        Raises:
            ClusterUnavailable: No worker starts, or those of the cluster have another version of spacediff.
        """
        with self._changed:
            first: float | None = None
            while self._kind is None:
                raise_if_interrupted()
                if self._given_up == len(self._threads):
                    raise self._failure or ClusterUnavailable("no worker of the cluster has started")
                if self._environments:
                    first = first or time.monotonic()
                    if len(self._environments) == len(self._threads) or time.monotonic() - first > _SOON:
                        self._choose_kind()
                        break
                self._changed.wait(_LOOKED_EVERY)
            assert self._kind is not None  # noqa: S101 - chosen above
            return self._kind

    @property
    def left_out(self) -> Fact | None:
        """That workers take no part, since they are of another kind; None where all are of one."""
        chosen = dict(kind_of(self.environment))
        with self._changed:
            others = [each for each in map(dict, map(kind_of, self._environments.values())) if each != chosen]
        names = {name for each in others for name in {**each, **chosen} if each.get(name) != chosen.get(name)}
        if not others:
            return None
        return fact(FactKind.WORKERS_LEFT_OUT, workers=len(others), of=self.workers, differing=sorted(names))

    @property
    def workers(self) -> int:
        """How many workers there are at most."""
        return len(self._threads)

    def next_number(self) -> int:
        """Return a number that no other run of the pool has."""
        with self._changed:
            self._numbers += 1
            return self._numbers

    def submit(self, order: Order, post: Post) -> None:
        """Let a run wait for a worker; `post` is called from other threads with what becomes of it."""
        with self._changed:
            self._orders[order.job.number] = order, post
            self._schedule.add(order.job)
            self._changed.notify_all()

    def withdraw(self, numbers: frozenset[int]) -> frozenset[int]:
        """Take runs back that have not begun, and return their numbers."""
        with self._changed:
            found = frozenset(job.number for job in self._schedule.withdraw(numbers))
            for number in found:
                del self._orders[number]
            return found

    def abandon(self, numbers: frozenset[int]) -> None:
        """Give up runs: those that wait, and those that are in the hands of a worker, which is ended."""
        self.withdraw(numbers)
        with self._changed:
            for number, actor in self._actors.items():
                job = self._schedule.in_hand(number)
                if job is not None and job.number in numbers:
                    self._orders.pop(job.number, None)
                    actor.kill()

    def kill(self, worker: int) -> None:
        """End the actor of a worker at once, as if its machine had failed: what it has in hand goes elsewhere."""
        self._actors[worker].kill()

    def close(self, *, at_once: bool = False) -> None:
        """End all workers.

        Args:
            at_once: Whether what they leave on their machines is left to the next worker there.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            actors = list(self._actors.values())
        if at_once:
            for actor in actors:
                actor.kill()
        for thread in self._threads:
            thread.join()

    # ---- in the thread of a worker

    def _serve(self, number: int) -> None:
        while (actor := self._started(number)) is not None:
            try:
                with suppress(KeyboardInterrupt):
                    self._work(number, actor)
            except WorkerLostError as error:
                actor.kill()
                self._lost(number, str(error))
            else:
                actor.end()
                return
        with self._changed:
            self._given_up += 1
            self._changed.notify_all()

    def _started(self, number: int) -> Actor | None:
        """Start an actor and wait until it can take runs; None where it takes no part."""
        while not self._closing:
            actor = self._cluster.start(number, self._need, self._terms)
            with self._changed:
                self._actors[number] = actor
            try:
                environment = None
                while environment is None and not self._closing:
                    environment = actor.begin(_LOOKED_EVERY)
                    self._give_up_where_nobody_is_left()
            except KeyboardInterrupt:
                actor.kill()
                return None
            except WorkerLostError as error:
                actor.kill()
                self._note_failure(number, error)
                self._starts[number] += 1
                if self._starts[number] >= _MOST_STARTS:
                    return None
            else:
                if environment is not None and self._takes_part(number, environment):
                    return actor
                actor.end()
                return None
        return None

    def _takes_part(self, number: int, environment: Mapping[str, str]) -> bool:
        if environment["spacediff"] != __version__:
            self._failure = ClusterUnavailable(
                f"the cluster has spacediff {environment['spacediff']}, and this machine has {__version__}",
                hint="install the same version in the environment that the nodes use",
            )
            with self._changed:
                self._changed.notify_all()
            return False
        with self._changed:
            self._environments[number] = environment
            self._changed.notify_all()
            while self._kind is None and not self._closing:
                self._changed.wait(_LOOKED_EVERY)
            if self._kind is None or kind_of(environment) != kind_of(self._kind):
                return False
            self._schedule.join(number)
            self._changed.notify_all()
            return True

    def _work(self, number: int, actor: Actor) -> None:
        while (taken := self._taken(number)) is not None:
            order, post = taken
            post(Begun(order.job.number, number))
            began = time.monotonic()
            outcome = self._produced(order, actor, partial(_post_progress, post, order.job.number, number))
            with self._changed:
                self._schedule.done(number)
                self._schedule.run = time.monotonic() - began
                self._orders.pop(order.job.number, None)
                self._changed.notify_all()
            post(Finished(order.job.number, outcome))

    def _taken(self, number: int) -> tuple[Order, Post] | None:
        """Wait for the next run of a worker; None at the end."""
        with self._changed:
            while not self._closing:
                job = self._schedule.take(number)
                if job is not None:
                    return self._orders[job.number]
                self._changed.wait(_LOOKED_EVERY)
                raise_if_interrupted()
            return None

    def _produced(self, order: Order, actor: Actor, report: Callable[[Working], None]) -> Outcome | Exception:
        try:
            actor.send(order.folder, order.needs, partial(read_piece, order.folder), self._through)
            outcome = actor.produce(order.run, order.key, order.words, order.environment, report)
            self._fetch(actor, outcome.files, order.draft)
        except WorkerLostError:
            raise
        except NoRoomError:
            return TransferFailed(
                "the object store of the cluster has no room for the files of the run",
                hint="give it more memory, or let the files pass through a shared folder",
            )
        except Exception as error:  # noqa: BLE001 - whatever happens to one run must not end the worker's thread
            return error
        return outcome

    def _fetch(self, actor: Actor, files: Sequence[Sent], draft: Path) -> None:
        """Get the files of a run into its draft folder, and verify each.

        Raises:
            TransferFailed: One is not what the worker has sent.
        """
        if self._through is not None:
            self._through.take(draft, files, remove=True)
            return
        for each in files:
            for offset, piece in pieces(each, actor.read):
                write_piece(draft, each.name, offset, piece)
            arrived(draft, each)

    # ---- what is left of a worker

    def _lost(self, number: int, how: str) -> None:
        with self._changed:
            abandoned = (job := self._schedule.in_hand(number)) is not None and job.number not in self._orders
            given_up = self._schedule.lose(number)
            if abandoned and job is not None:
                self._schedule.withdraw(frozenset({job.number}))
            self._environments.pop(number, None)
            order = self._orders.pop(given_up.number, None) if given_up is not None else None
            self._changed.notify_all()
        if order is not None:
            error = WorkerDied(
                f"two workers of the cluster ended while they made this run ({how})",
                hint="if a machine's memory ran out, a smaller run or more memory helps",
            )
            order[1](Finished(order[0].job.number, error))

    def _note_failure(self, number: int, error: WorkerLostError) -> None:
        with self._changed:
            self._failure = ClusterUnavailable(
                f"worker {number} of the cluster does not start: {error}",
                hint="is spacediff installed in the environment that the nodes use?",
            )
            self._changed.notify_all()

    def _give_up_where_nobody_is_left(self) -> None:
        """Give up what waits once no worker has been there for long."""
        with self._changed:
            if self._environments or self._kind is None:
                self._alone_since = None
                return
            self._alone_since = self._alone_since or time.monotonic()
            if time.monotonic() - self._alone_since < _PATIENCE:
                return
            waiting = list(self._orders.items())
            self._schedule.withdraw(frozenset(number for number, _ in waiting))
            self._orders.clear()
        for number, (_, post) in waiting:
            post(Finished(number, WorkerDied("no worker of the cluster is left that could make this run")))

    def _choose_kind(self) -> None:
        kinds = Counter(kind_of(each) for each in self._environments.values())
        chosen = max(kinds, key=lambda kind: kinds[kind])
        self._kind = next(each for each in self._environments.values() if kind_of(each) == chosen)
        self._changed.notify_all()


def _post_progress(post: Post, number: int, worker: int, working: Working) -> None:
    post(Going(number, worker, working))


def kind_of(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what makes clips of two machines comparable: all of an environment that determines any clip."""
    some = {name: environment[name] for name in OF_SOME_RUNS if name in environment}
    return tuple(sorted((determining(dict(environment)) | some).items()))
