"""The worker that generates in a process of its own, which is replaced when it cannot be trusted any more.

The key insight: nothing frees the memory of a device as surely as the end of the process that used it. So generation
has a process of its own; after an out-of-memory, an error of the device or a crash, the next run gets a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from spacediff.errors import DecodingOutOfMemory, DiskFull, OutOfMemory, WorkerDied, error_from_record
from spacediff.progress import Progress, SilentListener
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.sources.local.kept_embeddings import KeptEmbeddings
from spacediff.sources.local.kept_ends import KeptEnds
from spacediff.sources.local.numerics.switches import environment_for
from spacediff.stages import of_loading
from spacediff.worker import process
from spacediff.worker.messages import Begin, Check, Done, Failed, Memory, PlainRun, Prepare, Produce, Produced, Request
from spacediff.worker.process import DeadError, WorkerProcess

_Result = TypeVar("_Result")

_DIED = "if the machine's memory ran out, a smaller run or more memory helps; the same command tries the run again"
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables from which torch takes the number of its CPU threads when it is imported."""
_DEVICE_SLACK = 256 * 2**20
"""Bytes that may stay allocated on devices after a run: workspaces that libraries keep, such as cuBLAS's."""
_HOST_SLACK = 1.25
"""Growth of the process between two runs of one checkpoint beyond which it counts as leaking …"""
_HOST_LEAST = 2**30
"""… if it is also more than these bytes."""


class SupervisedWorker:
    """Generates runs in a worker process, which holds one loaded checkpoint at a time.

    Args:
        ends: Folder for the ends of denoisings. Those that could not be decoded stay in it for the next attempt.
        reuse: Whether a run reuses the results of an earlier one with the same settings up to that stage.
        keep_latents: Whether the latents of each step are kept.
        threads: CPU threads of torch; by default as many as it takes by itself.
    """

    def __init__(
        self, ends: Path, *, reuse: bool = True, keep_latents: bool = True, threads: int | None = None
    ) -> None:
        self._begin = Begin(reuse=reuse, keep_latents=keep_latents, ends=str(ends.absolute()))
        self._embeddings = KeptEmbeddings(ends)
        self._ends = KeptEnds(ends)
        self._pinned = {} if threads is None else dict.fromkeys(_THREADS, str(threads))
        self._running: WorkerProcess | None = None
        self._baseline: tuple[str, Memory] | None = None
        self._environment: Mapping[str, str] = {}
        self._fresh = self._first = True
        self._process({})

    @property
    def environment(self) -> Mapping[str, str]:
        """The versions and devices of the worker's machine.

        Raises:
            WorkerDied: The process did not start, twice.
        """
        if not self._environment:
            self._environment = _again_if_it_dies(self._reported)
        return self._environment

    def prepare(self, run: Run) -> None:
        """Let the process load what a run will need, while this process does something else."""
        self._process(environment_for(run.settings)).send(Prepare(run=PlainRun.of(run)))

    def check(self, run: Run) -> None:
        """Check whether the machine has the devices of a run.

        Raises:
            DeviceUnavailable: A device is missing.
        """
        request = Check(run=PlainRun.of(run))
        _again_if_it_dies(lambda: self._answer(self._running or self._process({}), request, SilentListener()))

    def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
        """Generate a run and write its files; after an out-of-memory or a crash once more, in a new process.

        Raises:
            NotMeasuredError: There is no clip; the message says why.
        """
        request = Produce(run=PlainRun.of(run), key=key, folder=str(folder.absolute()))
        try:
            return self._produced(request, run, progress)
        except (DecodingOutOfMemory, WorkerDied):
            pass
        except OutOfMemory:
            if self._first:  # a new process has no more room than this one had
                raise
        _clear(folder)
        progress.on_status("trying again in a new process")
        return self._produced(request, run, progress)

    def close(self) -> None:
        """End the process."""
        self._discard()
        self._embeddings.clear()
        self._ends.clear()

    def _reported(self) -> Mapping[str, str]:
        """Return what a process says of its machine.

        Raises:
            WorkerDied: It ended before.
        """
        try:
            return self._process({}).ready().environment
        except DeadError as error:
            self._discard()
            raise WorkerDied(str(error), hint="`python -m spacediff.worker` shows why") from error
        except WorkerDied:  # it does not speak as agreed
            self._discard()
            raise

    def _produced(self, request: Produce, run: Run, progress: Progress) -> RunRecord:
        running = self._process(environment_for(run.settings))
        self._first = self._fresh
        self._fresh = False
        match self._answer(running, request, progress):
            case Produced(record=record, memory=memory):
                self._judge(run, memory)
                return RunRecord.model_validate(record)
            case other:
                raise WorkerDied(f"the worker process answered {other.kind!r}")

    def _answer(self, running: WorkerProcess, request: Request, progress: Progress) -> Produced | Done:
        """Send a request and return its answer; a process that cannot go on is ended.

        Raises:
            WorkerDied: The process ended before it answered.
            NotMeasuredError: There is no clip; the message says why.
            DiskFull: The files cannot be written.
        """
        running.send(request)
        try:
            answer = running.answer(progress)
        except DeadError as error:
            self._discard()
            raise WorkerDied(str(error), hint=_DIED) from error
        except BaseException:  # interrupted: it is in the middle of something
            self._discard()
            raise
        match answer:
            case Produced() | Done():
                return answer
            case Failed(code=code, message=message, hint=hint, sound=sound, memory=memory):
                if not sound or (memory is not None and memory.device > _DEVICE_SLACK):
                    self._discard()
                if code == DiskFull.code:
                    raise DiskFull(message, hint=hint)
                raise error_from_record(code, message, hint)

    def _judge(self, run: Run, memory: Memory) -> None:
        """End the process if its memory has not returned to where it was after the first run of this checkpoint."""
        checkpoint = repr(of_loading(run.settings))
        if self._baseline is None or self._baseline[0] != checkpoint:
            self._baseline = checkpoint, memory
        first = self._baseline[1].host
        if memory.device > _DEVICE_SLACK or memory.host > max(first * _HOST_SLACK, first + _HOST_LEAST):
            self._discard()

    def _process(self, environ: dict[str, str]) -> WorkerProcess:
        """Return the running process; a new one if there is none, or if it was killed or has another environment."""
        environ = self._pinned | environ
        if self._running is not None and not (self._running.alive and self._running.environ == environ):
            self._discard()
        if self._running is None:
            self._running = WorkerProcess(self._begin, process.start_worker, environ)
            self._fresh = True
            self._baseline = None
        return self._running

    def _discard(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running = None


def _again_if_it_dies(ask: Callable[[], _Result]) -> _Result:
    """Ask a process for what needs little memory; if it dies, the system or somebody killed it, so ask a new one."""
    try:
        return ask()
    except WorkerDied:
        return ask()


def _clear(folder: Path) -> None:
    """Remove what an ended process has written."""
    for path in folder.iterdir():
        path.unlink()
