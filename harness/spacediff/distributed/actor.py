"""What runs in an actor: the worker of one machine, with a folder of its own in place of the audit folder.

It imports no Ray. Each run goes through the same executor and the same worker process as without a cluster; the files
that others are compared with are sent here before, and what the run leaves is read from here afterwards.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from spacediff import __version__
from spacediff.distributed.transfer import Sent, SharedFolder, arrived, lacking, listed, read_piece, write_piece
from spacediff.environments.resolved import Resolved
from spacediff.executor import Sequential
from spacediff.files import remove_folder
from spacediff.privacy.private_prompts import private
from spacediff.progress import Progress, SilentListener
from spacediff.record import MachineRecord, RunRecord
from spacediff.run import Run
from spacediff.store.store import DENOISED, Store
from spacediff.worker.hosted import AuditWorker
from spacediff.worker.messages import PlainRun
from spacediff.worker.protocol import Worker
from spacediff.worker.supervised import SupervisedWorker

_FOLDER = "spacediff-worker-"
_KEPT = 8
"""So many finished runs stay: those that the next ones are compared with are among them."""


@dataclass(frozen=True)
class Working:
    """How far a worker is with a run.

    Attributes:
        text: What it does.
        done: Finished steps.
        total: All steps; 0 where that is unknown.
    """

    text: str = ""
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a run left.

    Attributes:
        record: Its record, as JSON.
        files: The files of the run, and of what is kept for runs that are compared with it; empty without a clip.
    """

    record: str
    files: tuple[Sent, ...]


@dataclass(frozen=True)
class Terms:
    """How workers generate, the same for all of a cluster.

    Attributes:
        threads: CPU threads of torch.
        reuse: Whether a run reuses the results of an earlier one with the same settings up to that stage.
        keep_latents: Whether the latents of each step are kept.
        shared: A folder that all machines see, through which files pass; empty for none.
    """

    threads: int
    reuse: bool = True
    keep_latents: bool = True
    shared: str = ""


class ActorWorker:
    """A worker in an actor.

    Args:
        number: Its number, from 1.
        terms: How it generates.
        node: The first digits of its node's id.
    """

    def __init__(self, number: int, terms: Terms, node: str) -> None:
        remove_stale_folders()
        self._terms = terms
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
        self._store = Store(self._folder)
        generating = SupervisedWorker(
            self._folder / DENOISED, reuse=terms.reuse, keep_latents=terms.keep_latents, threads=terms.threads
        )
        self._environment: Resolved | None = None
        self._worker = AuditWorker(generating, self._folder, resolve=lambda *_: self._environment)
        self._located = _Located(self._worker, node, number)
        self._shared = SharedFolder(terms.shared) if terms.shared else None
        self._listener = _Noting()
        self._finished: list[str] = []

    def begin(self) -> dict[str, str]:
        """Return the environment of this machine, with the version of spacediff."""
        return {**self._worker.environment, "spacediff": __version__}

    def working(self) -> Working:
        """Return how far the current run is."""
        return self._listener.working

    def lacking(self, files: Sequence[Sent]) -> tuple[Sent, ...]:
        """Return which files have to be sent here before a run."""
        return lacking(self._folder, files)

    def write(self, name: str, offset: int, piece: bytes) -> None:
        """Write a piece of a file that is sent here."""
        write_piece(self._folder, name, offset, piece)

    def arrived(self, files: Sequence[Sent]) -> None:
        """Check files that were sent here, and give them their names."""
        for each in files:
            arrived(self._folder, each)

    def take(self, files: Sequence[Sent]) -> None:
        """Copy files from the shared folder."""
        if self._shared is not None:
            self._shared.take(self._folder, files, remove=False)

    def produce(self, plain: PlainRun, key: str, words: Sequence[str], environment: Resolved | None = None) -> Outcome:
        """Produce a run.

        Args:
            plain: The run.
            key: Its identity, by which the other side keeps it.
            words: Texts that are removed from everything that is written.
            environment: What its environment comes to, which is built here as it is; None for a run in this one.
        """
        run, self._environment = plain.run(), environment
        executor = Sequential(self._located, keep_latents=self._terms.keep_latents, identify=lambda _: key)
        with private(words):
            (record,) = executor.execute([run], self._store, self._listener)
        record = record.model_copy(update={"key": key, "machine": self._located.machine})
        folder = self._store.folder_of(key)
        files = self._files(key, target=run.is_target) if folder.is_dir() and not record.failed else ()
        self._forget_oldest(key)
        if self._shared is not None:
            self._shared.put(self._folder, files)
        return Outcome(record.model_dump_json(), files)

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Return a piece of a file of a run."""
        return read_piece(self._folder, name, offset, size)

    def close(self) -> None:
        """End the worker process and remove everything."""
        self._worker.close()
        remove_folder(self._folder)

    def _files(self, key: str, *, target: bool) -> tuple[Sent, ...]:
        paths = [*self._store.folder_of(key).iterdir()]
        if target:
            paths += files_of_target(self._folder, key)
        return listed(self._folder, sorted(path.relative_to(self._folder).as_posix() for path in paths))

    def _forget_oldest(self, key: str) -> None:
        self._finished = [*(each for each in self._finished if each != key), key]
        for each in self._finished[:-_KEPT]:
            self._store.discard(each)
        self._finished = self._finished[-_KEPT:]


def files_of_target(folder: Path, key: str) -> list[Path]:
    """Return the files that are kept of a run for those that are compared with it, besides its own.

    Args:
        folder: An audit folder.
        key: The run.
    """
    from spacediff.sources.local.kept_ends import KeptEnds, name_of_target

    end = KeptEnds(folder / DENOISED).target(key)
    return [] if end is None else [folder / DENOISED / name_of_target(key), end]


def remove_stale_folders() -> None:
    """Remove what workers of this machine have left that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*-*"):
        pid = path.name.removeprefix(_FOLDER).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            remove_folder(path)


class _Noting(SilentListener):
    """Notes how far a run is."""

    def __init__(self) -> None:
        self.working = Working()

    def on_run_started(self, run: Run) -> None:  # noqa: ARG002 - as all listeners
        self.working = Working()

    def on_status(self, text: str) -> None:
        self.working = Working(text)

    def on_step(self, done: int, total: int) -> None:
        self.working = replace(self.working, done=done, total=total)


class _Located:
    """A worker that notes in each record which machine made it."""

    def __init__(self, worker: Worker, node: str, number: int) -> None:
        self._worker = worker
        self._node = node
        self._number = number

    @property
    def environment(self) -> Mapping[str, str]:
        return self._worker.environment

    @property
    def machine(self) -> MachineRecord:
        here = self._worker.environment
        said = {name: here.get(name, "") for name in ("device", "processor", "threads")}
        return MachineRecord(node=self._node, worker=self._number, **said)

    def prepare(self, run: Run) -> None:
        """Do nothing: the run is about to be produced."""

    def check(self, run: Run) -> None:
        self._worker.check(run)

    def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
        record = self._worker.produce(run, key, folder, progress)
        return record.model_copy(update={"machine": self.machine})

    def close(self) -> None:
        """Do nothing: the next run needs the worker."""
