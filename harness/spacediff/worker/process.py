"""A worker process, as the audit sees it: started, spoken to, watched, and killed."""

from __future__ import annotations

import codecs
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, cast

import psutil

from spacediff.errors import WorkerDied
from spacediff.interrupts import raise_if_interrupted
from spacediff.privacy.redaction import redact_text
from spacediff.processes import APART, child_environment, last_lines, python, queue_lines, stop
from spacediff.progress import Progress
from spacediff.worker.messages import (
    PROTOCOL,
    Answer,
    Begin,
    Done,
    Failed,
    Produced,
    Ready,
    Request,
    Status,
    Step,
    answer_from,
    line_of,
)

_WORKER = ("-m", "spacediff.worker")
_WATCHED_EVERY = 0.5
"""Seconds between two looks at an interruption and at the worker's memory while it computes."""
_BARS = {True: {"TQDM_POSITION": "-1"}, False: {}}
"""Variables with which huggingface_hub shows the progress of downloads: on a terminal, though a pipe leads there."""
_SMALL = 2**28
"""Bytes of memory that say nothing about the end of a process."""
_CHUNK = 2**16
_LOG_TAIL = 10_000
"""Characters of the worker's stderr that are kept …"""
_LOG_LINES = 3
"""… and lines of them in an error."""
_MOST_QUOTED = 200
"""Bytes of a line that is no message, in the error."""
_GRACE = 2.0
"""Seconds to wait for the end of a process that gets no more requests, before it is killed."""
_PATIENCE = 30.0
"""Seconds to wait for the end of a process that was killed."""


@dataclass(frozen=True)
class Started:
    """A process that was started.

    Attributes:
        pid: Its process id.
        requests: Requests go here: its stdin.
        answers: Answers come from here: its stdout.
        log: What its libraries print: its stderr.
        kill: Ends it at once.
        wait: Waits for so many seconds for its end, and returns the exit code, negative for a signal.
    """

    pid: int
    requests: IO[bytes]
    answers: IO[bytes]
    log: IO[bytes]
    kill: Callable[[], None]
    wait: Callable[[float], int]


Start = Callable[[dict[str, str]], Started]
"""Starts a worker process with these additions to the environment."""


class DeadError(Exception):
    """A worker process ended while an answer was expected; the message says what was last known of it."""


class WorkerProcess:
    """A running worker process.

    Args:
        begin: The first message.
        start: Starts the process.
        environ: Additions to its environment.
    """

    def __init__(self, begin: Begin, start: Start, environ: dict[str, str]) -> None:
        self.environ = environ
        self._process = start(environ)
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._log = ""
        self._threads = [
            threading.Thread(target=queue_lines, args=(self._process.answers, self._answers), daemon=True),
            threading.Thread(target=self._pass_on, args=(self._process.log,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._last = "starting"
        self._host = 0
        self._ready: Ready | None = None
        self.send(begin)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        try:
            self._process.wait(0.0)
        except subprocess.TimeoutExpired:
            return True
        return False

    def ready(self) -> Ready:
        """Wait until it can take requests.

        Raises:
            DeadError: It ended before.
            WorkerDied: It speaks another version of the protocol.
        """
        if self._ready is None:
            answer = next(self._wait(), None)
            if answer is None:
                raise DeadError(self._end())
            if not isinstance(answer, Ready) or answer.protocol != PROTOCOL:
                raise WorkerDied(f"the worker process does not speak version {PROTOCOL} of the protocol")
            self._ready = answer
        return self._ready

    def send(self, request: Request) -> None:
        """Send a request; where the process has ended, waiting for the answer says so."""
        with suppress(OSError):
            self._process.requests.write(line_of(request))
            self._process.requests.flush()

    def answer(self, progress: Progress) -> Produced | Done | Failed:
        """Wait for the answer to the last request.

        Args:
            progress: Receives the progress.

        Raises:
            DeadError: The process ended before it answered.
            KeyboardInterrupt: The audit was interrupted.
        """
        self.ready()
        for answer in self._wait():
            match answer:
                case Status(text=text):
                    self._last = text
                    progress.on_status(text)
                case Step(done=done, total=total):
                    self._last = f"after step {done} of {total}"
                    progress.on_step(done, total)
                case Produced() | Done() | Failed():
                    return answer
        raise DeadError(self._end())

    def kill(self) -> None:
        """End the process; what it was doing is lost."""
        with suppress(OSError):
            self._process.requests.close()  # at their end it exits, on every system
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE)
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _wait(self) -> Iterator[Answer]:
        """Yield answers until the process ends.

        Raises:
            WorkerDied: It sends something else.
        """
        while True:
            raise_if_interrupted()
            try:
                line = self._answers.get(timeout=_WATCHED_EVERY)
            except queue.Empty:
                self._host = _resident(self._process.pid) or self._host
                continue
            if not line.endswith(b"\n"):  # the end, or a line that was cut by it
                return
            yield _read(line)

    def _end(self) -> str:
        """Describe how the process ended, and what was last known of it."""
        self.kill()
        code = self._process.wait(_PATIENCE)
        how = f"was killed by {_signal(-code)}" if code < 0 else f"ended with exit code {code}"
        held = f"; it held {self._host / 2**30:.1f} GiB of the machine's memory" if self._host > _SMALL else ""
        lines = last_lines(redact_text(self._log), _LOG_LINES)
        said = f"; it printed: {' | '.join(lines)}" if lines and code >= 0 else ""
        return f"the worker process {how} ({self._last}){held}{said}"

    def _pass_on(self, log: IO[bytes]) -> None:
        """Show what the worker's libraries print, such as the progress of a download, and keep its end."""
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        while printed := os.read(log.fileno(), _CHUNK):
            text = decode(printed)
            self._log = (self._log + text)[-_LOG_TAIL:]
            with suppress(Exception):  # whatever happens to our stderr (None without a console), theirs must not block
                sys.stderr.write(text)
                sys.stderr.flush()
        log.close()


def start_worker(environ: dict[str, str]) -> Started:
    """Start a worker process.

    Raises:
        WorkerDied: It could not be started.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            python(*_WORKER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment() | _BARS[sys.stderr is not None and sys.stderr.isatty()] | environ,
            **APART,
        )
    except OSError as error:
        raise WorkerDied(f"the worker process could not be started: {error.strerror or error}") from error
    requests, answers, log = (cast("IO[bytes]", pipe) for pipe in (process.stdin, process.stdout, process.stderr))
    return Started(process.pid, requests, answers, log, partial(stop, process, 0.0), process.wait)


def _read(line: bytes) -> Answer:
    try:
        return answer_from(line)
    except ValueError as error:
        said = redact_text(line[:_MOST_QUOTED].decode("utf-8", "replace"))
        raise WorkerDied(f"the worker process sent {said!r}, which is no message") from error


def _resident(pid: int) -> int:
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def _signal(number: int) -> str:
    if number == getattr(signal, "SIGKILL", None):
        return "SIGKILL, as the system does when its memory runs out"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
