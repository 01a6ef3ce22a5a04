"""Tracebacks as the script would print them: without the frames of this code."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import Any


def leave_out_of_tracebacks(here: Path) -> None:
    """Print uncaught errors without the frames of a folder's code.

    Args:
        here: The folder.
    """
    before = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> Any:
        strip(error, str(here))
        return before(kind, error, error.__traceback__)

    sys.excepthook = show


def strip(error: BaseException | None, here: str, seen: set[int] | None = None) -> None:
    """Take the frames of a folder's code out of the traceback of an error, and of its causes.

    Args:
        error: The error.
        here: The folder.
        seen: Errors that are done, by their id.
    """
    seen = set() if seen is None else seen
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    kept: list[TracebackType] = []
    entry = error.__traceback__
    while entry is not None:
        if not entry.tb_frame.f_code.co_filename.startswith(here):
            kept.append(entry)
        entry = entry.tb_next
    stripped: TracebackType | None = None
    for each in reversed(kept):
        stripped = TracebackType(stripped, each.tb_frame, each.tb_lasti, each.tb_lineno)
    error.__traceback__ = stripped
    strip(error.__cause__, here, seen)
    strip(error.__context__, here, seen)
