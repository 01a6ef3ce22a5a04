"""Interrupts that lose nothing: neither the request to stop, nor what was finished before it.

Python raises KeyboardInterrupt wherever the main thread happens to be. In a finaliser, or in a callback from compiled
code, the exception is swallowed; so the handlers of the command line also remember the request.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable
from types import FrameType
from typing import TypeVar

_Item = TypeVar("_Item")

_asked = threading.Event()


def install() -> None:
    """Handle SIGINT and SIGTERM (CI stops a job that way) from now on; one that the parent has switched off stays so.

    For the command line alone: a library leaves the handlers to the program that uses it.
    """
    _asked.clear()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(wanted) is not signal.SIG_IGN:
            signal.signal(wanted, _interrupt)


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if a signal asked for it since the last `clear`; called between runs and steps."""
    if _asked.is_set():
        raise KeyboardInterrupt


def clear() -> None:
    """Discard the request, once it has been followed."""
    _asked.clear()


def until_interrupted(items: Iterable[_Item]) -> tuple[tuple[_Item, ...], bool]:
    """Collect items as they are finished, up to an interruption.

    Returns:
        The items that were finished, and whether an interruption ended it.
    """
    found: list[_Item] = []
    try:
        for item in items:
            found.append(item)  # noqa: PERF402 - one by one: what comes before an interruption must be kept
        raise_if_interrupted()
    except KeyboardInterrupt:
        return tuple(found), True
    return tuple(found), False


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    _asked.set()
    raise KeyboardInterrupt
