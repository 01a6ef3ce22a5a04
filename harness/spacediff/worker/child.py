"""The worker process: `python -m spacediff.worker`, which reads requests from stdin and answers on stdout.

It exits at the end of stdin, so it does not outlive the process that started it. Ctrl-C is for that process alone.
"""

from __future__ import annotations

import gc
import os
import queue
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import psutil

from spacediff import devices
from spacediff.collecting import without_collecting
from spacediff.environment import environment
from spacediff.errors import (
    GenerationFailed,
    OutOfMemory,
    SpacediffError,
    causes_of,
    disk_full,
    failure,
    is_out_of_memory,
)
from spacediff.store.store import Store
from spacediff.worker.local import LocalWorker
from spacediff.worker.messages import (
    PROTOCOL,
    Answer,
    Begin,
    Check,
    Done,
    Failed,
    Memory,
    Prepare,
    Produce,
    Produced,
    Ready,
    Request,
    Status,
    Step,
    line_of,
    request_from,
)

_DEVICE_ERRORS = ("CUDA error", "HIP error", "XPU error")
"""How errors begin after which every use of the device fails until the process ends, such as an illegal memory access:
CUDA's sticky errors. torch raises them as AcceleratorError, and before 2.8 as RuntimeError."""


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until they end, which ends the process.

    Args:
        requests: One message per line; see `spacediff.worker.messages`.
        answers: The same.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = _Channel(requests, answers)
    begin = channel.next()
    if not isinstance(begin, Begin) or begin.protocol != PROTOCOL:
        channel.send(Ready(protocol=PROTOCOL, environment={}))  # the other side reports it
        return
    with without_collecting():
        here = environment()
    channel.send(Ready(protocol=PROTOCOL, environment=here))
    worker = LocalWorker(here, reuse=begin.reuse, keep_latents=begin.keep_latents, ends=Path(begin.ends))
    for request in channel:
        _answer(request, worker, channel)


def _answer(request: Request, worker: LocalWorker, channel: _Channel) -> None:
    try:
        match request:
            case Prepare():
                worker.prepare(request.run.run())
            case Check():
                worker.check(request.run.run())
                channel.send(Done())
            case Produce():
                record = worker.produce(request.run.run(), request.key, Path(request.folder), channel)
                channel.send(Produced(record=record.model_dump(mode="json"), memory=memory_in_use()))
    except Exception as error:  # noqa: BLE001 - any failure becomes an answer
        answer = _failed(error, Store.of_draft(Path(request.folder)).folder if isinstance(request, Produce) else None)
        del error
        gc.collect()
        if not isinstance(request, Prepare):  # the run that needs it will fail the same way
            channel.send(answer.model_copy(update={"memory": memory_in_use()}) if answer.sound else answer)


def memory_in_use() -> Memory:
    """Return the memory that this process uses, after what nothing refers to was freed on devices."""
    if devices.memory_in_use():
        gc.collect()
        devices.release_cached_memory()
    return Memory(device=devices.memory_in_use(), host=psutil.Process().memory_info().rss)


def _failed(error: Exception, place: Path | None = None) -> Failed:
    """Return the answer for a failure; `place` is the audit folder, if it was written to."""
    sound = not any(is_out_of_memory(each) or _of_device(each) for each in causes_of(error))
    known = disk_full(error, place) or error
    if not isinstance(known, SpacediffError):
        known = (OutOfMemory if is_out_of_memory(error) else GenerationFailed)(failure(error))
    return Failed(code=known.code, message=known.message, hint=known.hint, sound=sound)


def _of_device(error: BaseException) -> bool:
    return type(error).__name__ == "AcceleratorError" or str(error).startswith(_DEVICE_ERRORS)


class _Channel:
    """Both directions of the connection; a `Progress` as well.

    Requests are read in a thread, so that the end of stdin ends the process in the middle of a generation.
    """

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._answers = answers
        threading.Thread(target=self._read, args=(requests,), daemon=True).start()

    def __iter__(self) -> Iterator[Request]:
        while True:
            yield self.next()

    def next(self) -> Request:
        """Wait for the next request."""
        return self._requests.get()

    def send(self, answer: Answer) -> None:
        """Send an answer."""
        self._answers.write(line_of(answer))
        self._answers.flush()

    def on_status(self, text: str) -> None:
        """Send what the worker does."""
        self.send(Status(text=text))

    def on_step(self, done: int, total: int) -> None:
        """Send the number of finished steps."""
        self.send(Step(done=done, total=total))

    def _read(self, requests: BinaryIO) -> None:
        try:
            for line in requests:
                self._requests.put(request_from(line))
        finally:
            os._exit(0)  # the audit has ended, and nobody waits for what is in progress
