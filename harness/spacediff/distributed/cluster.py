"""The cluster: connect to Ray or start it on this machine, and start actors. Only this module imports Ray.

What Ray reports as its own kinds of exceptions leaves this module as ours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from spacediff.distributed.actor import ActorWorker, Outcome, Terms, Working
from spacediff.distributed.capacity import Need, Node
from spacediff.distributed.transfer import NoRoomError, Sent, pieces
from spacediff.environments.resolved import Resolved
from spacediff.errors import ClusterUnavailable, MissingPackage, SpacediffError, disk_full
from spacediff.interrupts import handlers_kept, raise_if_interrupted
from spacediff.worker.messages import PlainRun

_ADDRESS = "RAY_ADDRESS"
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",
}
"""Ray sends no statistics, leaves CUDA_VISIBLE_DEVICES of actors without GPUs as it is, and lets workers compete with
other programs as this process does."""
_AT_ONCE = 4
"""Calls that an actor answers at once: how far it is, while it generates."""
_LOOKED_EVERY = 0.5
"""Seconds between two looks at how far a run is."""
_GRACE = 10.0
"""Seconds that an actor gets to remove its files."""
_NODE_DIGITS = 8


class WorkerLostError(Exception):
    """An actor, or its node, is gone."""


@contextmanager
def cluster(*, cpus: int | None = None) -> Iterator[Cluster]:
    """Connect to the cluster that Ray's settings name, else start one on this machine and stop it at the end.

    A program that has connected to Ray already stays connected.

    Args:
        cpus: Cores of a cluster that is started; by default all.

    Raises:
        MissingPackage: Ray is not installed.
        ClusterUnavailable: There is no cluster at the address, or it does not start.
    """
    ray = _ray()
    if ray.is_initialized():
        yield Cluster(ray)
        return
    os.environ.update({name: os.environ.get(name, value) for name, value in _QUIET.items()})
    asked = os.environ.get(_ADDRESS)
    own = {} if asked else {"include_dashboard": False, "num_cpus": cpus}
    try:
        with handlers_kept():  # Ray replaces that of SIGTERM
            ray.init(
                address=asked or "local",
                log_to_driver=False,
                logging_level="error",
                **{name: value for name, value in own.items() if value is not None},
            )
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        ray.shutdown()
        where = f"at {asked} ({_ADDRESS})" if asked else "on this machine"
        raise ClusterUnavailable(
            f"there is no Ray cluster {where}: {str(error).strip().splitlines()[0]}",
            hint="`ray status` shows whether it runs" if asked else "`ray start --head` shows why it does not start",
        ) from error
    try:
        yield Cluster(ray)
    finally:
        with handlers_kept():
            ray.shutdown()


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingPackage("the executor 'ray' needs Ray", hint="pip install 'spacediff[ray]'") from error
    return ray


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to."""

    ray: Any

    def nodes(self) -> list[Node]:
        """Return what each node of the cluster has."""
        alive = [each["Resources"] for each in self.ray.nodes() if each["Alive"]]
        return [
            Node(cpus=each.get("CPU", 0.0), gpus=each.get("GPU", 0.0), memory=int(each.get("memory", 0.0)))
            for each in alive
        ]

    def start(self, number: int, need: Need, terms: Terms) -> Actor:
        """Start an actor; it waits until a node has what it needs.

        Args:
            number: Number of the worker, from 1.
            need: What it occupies.
            terms: How it generates.
        """
        remote = self.ray.remote(_Located).options(
            num_cpus=need.cpus,
            num_gpus=need.gpus,
            **({"memory": need.memory} if need.memory else {}),
            max_concurrency=_AT_ONCE,
            max_restarts=0,
            max_task_retries=0,
        )
        return Actor(self.ray, remote.remote(number, terms))


class _Located(ActorWorker):
    """A worker that asks Ray which node it is on."""

    def __init__(self, number: int, terms: Terms) -> None:
        import ray

        super().__init__(number, terms, ray.get_runtime_context().get_node_id()[:_NODE_DIGITS])


class Actor:
    """An actor, as the audit sees it. Each method waits, and raises `WorkerLostError` if the actor is gone."""

    def __init__(self, ray: Any, handle: Any) -> None:
        self._ray = ray
        self._handle = handle
        self._beginning = handle.begin.remote()

    def begin(self, patience: float) -> dict[str, str] | None:
        """Return the environment of its machine; None if it has not started after so many seconds."""
        found: dict[str, str] | None = self._within(self._beginning, patience)
        return found

    def produce(
        self, run: PlainRun, key: str, words: tuple[str, ...], environment: Resolved | None, report: Any
    ) -> Outcome:
        """Produce a run.

        Args:
            run: The run.
            key: Its identity.
            words: Texts that are removed from everything that is written.
            environment: What its environment comes to; None for a run in that of the worker.
            report: Called with a `Working` now and then.
        """
        asked = self._handle.produce.remote(run, key, words, environment)
        looking, seen = None, None
        while True:
            found = self._within(asked, _LOOKED_EVERY)
            if found is not None:
                outcome: Outcome = found
                return outcome
            looking = looking or self._handle.working.remote()
            working: Working | None = self._within(looking, 0.0)
            if working is not None:
                looking = None
                if working != seen:
                    seen = working
                    report(working)

    def send(self, folder: Any, files: tuple[Sent, ...], read: Any, through: Any) -> None:
        """Send those files that it lacks.

        Args:
            folder: The audit folder.
            files: The files.
            read: Returns a piece of a file of the audit folder.
            through: The shared folder; None for the object store.
        """
        lacking = self._get(self._handle.lacking.remote(files)) if files else ()
        if not lacking:
            return
        if through is not None:
            through.put(folder, lacking)
            self._get(self._handle.take.remote(lacking))
            return
        for each in lacking:
            for offset, piece in pieces(each, read):
                self._write(each.name, offset, piece)
        self._get(self._handle.arrived.remote(lacking))

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Return a piece of a file of a run.

        Raises:
            NoRoomError: The object store has no room for it.
        """
        piece: bytes = self._get(self._handle.read.remote(name, offset, size))
        return piece

    def end(self) -> None:
        """Let it remove its files, and end it."""
        with suppress(Exception):
            self._ray.get(self._handle.close.remote(), timeout=_GRACE)
        self.kill()

    def kill(self) -> None:
        """End it at once."""
        with suppress(Exception):
            self._ray.kill(self._handle)

    def _write(self, name: str, offset: int, piece: bytes) -> None:
        from spacediff.distributed.transfer import SMALL_PIECE

        try:
            self._get(self._handle.write.remote(name, offset, piece))
        except NoRoomError:
            for start in range(0, len(piece), SMALL_PIECE):
                self._get(self._handle.write.remote(name, offset + start, piece[start : start + SMALL_PIECE]))

    def _within(self, asked: Any, seconds: float) -> Any:
        """Return the answer to a call; None if there is none after so many seconds."""
        raise_if_interrupted()
        ready, _ = self._ray.wait([asked], timeout=seconds)
        return self._get(asked) if ready else None

    def _get(self, asked: Any) -> Any:
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(asked)
        except (exceptions.ObjectStoreFullError, exceptions.OutOfDiskError) as error:
            raise NoRoomError from error
        except exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, SpacediffError):
                raise cause from error
            if isinstance(cause, exceptions.ObjectStoreFullError | exceptions.OutOfDiskError):
                raise NoRoomError from error
            if isinstance(cause, Exception) and (full := disk_full(cause)):
                raise full from error
            raise
        except exceptions.RayError as error:  # of an actor or a node that died, or of what was lost with it
            raise WorkerLostError(type(error).__name__) from error
