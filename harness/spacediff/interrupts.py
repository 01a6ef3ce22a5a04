"""Handle interrupts so that neither the request to stop nor finished work is lost.

Python raises KeyboardInterrupt wherever the main thread happens to be. In a finaliser, or in a callback from compiled
code, the exception is lost; so the handlers of the command line also remember the request.
"""

from __future__ import annotations

import atexit
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

_Item = TypeVar("_Item")

_asked = threading.Event()
_exit_code: int | None = None
"""What the program ends with, once that is known."""
_STANDARD_ERROR = 2
SAME_REQUEST = 1.0
"""Seconds after a request to end in which further ones are taken for it."""


def install(notice: str = "") -> None:
    """Install handlers for Ctrl-C and for the requests to end of CI and of a console; an ignored signal stays ignored.

    Only the command line does this: a library leaves the handlers to the program that uses it. A second request right
    after the first is the same one: `timeout`, `uv run` and a closed terminal send theirs to a group and to its
    members, so that one wish arrives several times; one that comes later ends at once what the first has begun.

    Args:
        notice: What the first request writes to standard error at once, since what was finished is still recorded;
            empty for nothing.
    """
    _asked.clear()
    first = -math.inf

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        nonlocal first
        now = time.monotonic()
        if now - first < SAME_REQUEST:  # also where it was followed meanwhile
            return
        if _exit_code is not None:
            os._exit(_exit_code)
        if not _asked.is_set():
            first = now
            if notice:
                with suppress(OSError):
                    os.write(_STANDARD_ERROR, f"{notice}\n".encode())  # `print` may be interrupted itself
        _asked.set()
        raise KeyboardInterrupt

    for wanted in _requests():
        if signal.getsignal(wanted) is not signal.SIG_IGN:
            signal.signal(wanted, interrupt)


def end_with(code: int) -> None:
    """Let a request to end no longer raise an error, but end the program at once with the code that is known."""
    global _exit_code  # noqa: PLW0603 - a program has one, and a handler may come between any two statements
    _exit_code = code


def ignore_at_exit() -> None:
    """Ignore requests to end after everything else that is done at exit, when Python no longer handles signals.

    It is called before anything else registers for the exit.
    """
    atexit.register(_ignore)


def _ignore() -> None:
    for wanted in _requests():
        signal.signal(wanted, signal.SIG_IGN)


def _requests() -> list[signal.Signals]:
    """Return SIGINT; SIGTERM, by which CI stops a job; SIGHUP of a closed terminal; SIGQUIT; SIGBREAK of Windows."""
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")
    return [found for name in names if (found := getattr(signal, name, None)) is not None]


@dataclass
class Child:
    """A child process that signals are left to; None until it is started."""

    process: subprocess.Popen[bytes] | None = None

    def end(self, number: int, _: FrameType | None) -> None:
        """Send a signal to it."""
        if self.process is not None:
            self.process.send_signal(number)


@contextmanager
def left_to_a_child() -> Iterator[Child]:
    """Leave interrupts and requests to end to a child process inside the block, so that this process outlives it.

    The terminal sends those of its own to both. Only SIGTERM is for one process, so it is passed on. A signal that is
    ignored here would be ignored by the child too, while a handler is not passed on. In another thread than the main
    one there is no handler to change.
    """
    child = Child()
    if threading.current_thread() is not threading.main_thread():
        yield child
        return
    handled = [each for each in _requests() if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.getsignal(each) for each in handled}
    for each in handled:
        signal.signal(each, child.end if each is signal.SIGTERM else lambda *_: None)
    try:
        yield child
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Restore the handlers of interrupts and requests to end after the block, where a library installs its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in _requests()}
    try:
        yield
    finally:
        for each, handler in before.items():
            if handler is not None:  # None: not installed by Python, which cannot install it again
                signal.signal(each, handler)


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if a signal arrived since the last `clear`; called between runs and steps."""
    if _asked.is_set():
        raise KeyboardInterrupt


def clear() -> None:
    """Discard the request to stop, after it was followed."""
    _asked.clear()


def until_interrupted(items: Iterable[_Item]) -> tuple[tuple[_Item, ...], bool]:
    """Collect items until they end or an interrupt arrives.

    Returns:
        The finished items, and whether there was an interrupt.
    """
    found: list[_Item] = []
    try:
        for item in items:
            found.append(item)  # noqa: PERF402 - one by one, to keep the items before an interrupt
        raise_if_interrupted()
    except KeyboardInterrupt:
        return tuple(found), True
    return tuple(found), False
