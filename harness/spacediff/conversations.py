"""A conversation with an untrusted server, held by a process of its own that can be ended at any time.

A client library waits, polls and reads as it likes: one dripped byte, a heartbeat or a thread of its own outlives any
deadline that is checked beside it. So the process that uses the library is watched from here, by the clock and by its
memory, and killed with all its threads when it has had enough of either.

Both sides write one JSON object a line. The process says that it is `ready`. This side sends what is asked; the process
answers with any number of messages that have `kind` `status` or `step`, and one of any other kind, which is the answer.
It is kept for the next question.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import queue
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import IO, Any, Protocol, cast

from spacediff.interrupts import raise_if_interrupted
from spacediff.processes import APART, child_environment, python, queue_lines, resident_bytes, stop

MOST_MEMORY = 2**28
"""Bytes by which a process may grow while it holds a conversation."""
GRACE_SECONDS = 2.0
"""Seconds in which a process that is told to cancel may tell the server so, before it is killed."""
_LOOKED_EVERY = 0.05
_MOST_STATUS = 500
_VARIABLES = ("HF_", "HUGGING", "GRADIO_", "SSL_", "XDG_", "HOME")
_VARIABLES_END = "_PROXY"


class Listener(Protocol):
    """What hears how a conversation goes on."""

    def on_status(self, text: str) -> None:
        """Called when the work changes."""

    def on_step(self, done: int, total: int) -> None:
        """Called after each step of the server's work."""


class _Nobody:
    """A `Listener` that ignores everything."""

    def on_status(self, text: str) -> None:
        """Ignore it."""

    def on_step(self, done: int, total: int) -> None:
        """Ignore it."""


class OverdueError(Exception):
    """The deadline has passed; the message is the last status, or empty."""


class OvergrownError(Exception):
    """The process needed too much memory for what it was sent; the message is the last status, or empty."""


class EndedError(Exception):
    """The process ended by itself; the message says how."""


def converse(
    module: str,
    asked: Mapping[str, Any],
    ends: float,
    listener: Listener | None = None,
    *,
    most_memory: int = MOST_MEMORY,
    most_silence: float = math.inf,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Ask in a process of its own, and return its answer.

    Whatever ends the conversation early, Ctrl-C too, also ends the process, after it had `GRACE_SECONDS` to cancel;
    one that grows is ended at once.

    Args:
        module: The module that the process runs; `conversing` is its other side.
        asked: What it is asked, as JSON.
        ends: When the answer must be here, on the monotonic clock.
        listener: Hears statuses and steps.
        most_memory: Bytes by which the process may grow.
        most_silence: Seconds without a message, after which the deadline counts as passed.
        environment: The whole environment of a process that is not kept; None for ours.

    Raises:
        OverdueError: The deadline has passed.
        OvergrownError: The process needed too much memory.
        EndedError: The process ended without an answer.
    """
    process = _taken(module) if environment is None else _Process(module, environment)
    try:
        answer = process.answer(asked, ends, listener or _Nobody(), most_memory, most_silence)
    except BaseException as error:
        process.end(cancel=not isinstance(error, OvergrownError))
        raise
    if environment is None:
        _keep(process)
    else:
        process.end(cancel=False)
    return answer


def close() -> None:
    """End the processes that are kept for a next conversation."""
    with _LOCK:
        kept = [*_KEPT.values()]
        _KEPT.clear()
    for each in kept:
        each.end(cancel=False)


class _Process:
    """A process that holds conversations, one after the other.

    Args:
        module: The module that it runs.
        environment: Its whole environment; None for ours.
    """

    def __init__(self, module: str, environment: Mapping[str, str] | None = None) -> None:
        self.module = module
        self.environment = _relevant()
        self.owner = os.getpid()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            python("-m", module),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment() if environment is None else environment,
            **APART,
        )
        self._requests, answers = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=queue_lines, args=(answers, self._answers), daemon=True)
        self._reader.start()
        self._ready = False
        """Whether it has started; before that it has asked nobody, and what the environment imports is its own."""

    @property
    def usable(self) -> bool:
        """Whether it lives, is ours, and was started with the variables that libraries read when they are imported."""
        return self._process.poll() is None and self.owner == os.getpid() and self.environment == _relevant()

    def answer(
        self, asked: Mapping[str, Any], ends: float, listener: Listener, most_memory: int, most_silence: float
    ) -> dict[str, Any]:
        """Send what is asked and wait for the answer; see `converse`."""
        self._send(asked)
        last, before, heard = "", resident_bytes(self._process.pid), time.monotonic()
        while True:
            raise_if_interrupted()
            if time.monotonic() > min(ends, heard + most_silence):
                raise OverdueError(last)
            if self._ready and resident_bytes(self._process.pid) > max(before, _IMPORTED) + most_memory:
                raise OvergrownError(last)
            message = self._message()
            if message is None:
                continue
            heard = time.monotonic()
            match message:
                case {"kind": "ready"}:
                    self._ready, before = True, resident_bytes(self._process.pid)
                case {"kind": "status", "text": str(text)}:
                    last = text[:_MOST_STATUS]
                    listener.on_status(last)
                case {"kind": "step", "done": int(done), "total": int(total)}:
                    listener.on_step(done, total)
                case _:
                    return message

    def _message(self) -> dict[str, Any] | None:
        """Return the next message; None if none has come for a moment."""
        try:
            line = self._answers.get(timeout=_LOOKED_EVERY)
        except queue.Empty:
            return None
        if not line.endswith(b"\n"):  # the end, or a line that was cut by it
            raise EndedError(self._how_it_ended())
        return dict(json.loads(line))

    def end(self, *, cancel: bool) -> None:
        """End it, with all its threads; if it is told to cancel, it may first tell the server."""
        if self.owner != os.getpid():
            return
        try:
            if cancel:
                self._send({"kind": "cancel"})
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(GRACE_SECONDS)
        finally:  # a second Ctrl-C ends the waiting, not the killing
            with contextlib.suppress(OSError):
                self._requests.close()
            stop(self._process, 0.0)
            self._reader.join(GRACE_SECONDS)

    def _send(self, message: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError, ValueError):  # where it has ended, waiting for the answer says so
            self._requests.write(json.dumps(message).encode() + b"\n")
            self._requests.flush()

    def _how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS)
        code = self._process.returncode
        return f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"


_IMPORTED = 2**27
"""Bytes that a process needs for the libraries which it imports when it is asked."""
_LOCK = threading.Lock()
_KEPT: dict[str, _Process] = {}


def _taken(module: str) -> _Process:
    with _LOCK:
        kept = _KEPT.pop(module, None)
    if kept is not None and kept.usable:
        return kept
    if kept is not None:
        kept.end(cancel=False)
    return _Process(module)


def _keep(process: _Process) -> None:
    with _LOCK:
        first = _KEPT.setdefault(process.module, process)
    if first is not process:
        process.end(cancel=False)


def _relevant() -> dict[str, str]:
    """Return the variables on which a client library depends."""
    return {
        name: text
        for name, text in os.environ.items()
        if name.upper().startswith(_VARIABLES) or name.upper().endswith(_VARIABLES_END)
    }


atexit.register(close)
