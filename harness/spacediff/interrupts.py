"""Interrupts that cannot get lost: what Ctrl-C raises may be swallowed inside a library; the wish is remembered.

Python raises KeyboardInterrupt wherever the main thread happens to be, which may be a finaliser or a callback out of
compiled code, where exceptions end unheard.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

_asked = threading.Event()


def install() -> None:
    """Hear SIGINT and SIGTERM (CI stops a job that way); one that the parent has switched off stays so."""
    _asked.clear()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(wanted) is not signal.SIG_IGN:
            signal.signal(wanted, _interrupt)


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt when one was asked for and has not been heard; called between runs and steps."""
    if _asked.is_set():
        raise KeyboardInterrupt


def clear() -> None:
    """Forget the wish, once it has been followed."""
    _asked.clear()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    _asked.set()
    raise KeyboardInterrupt
