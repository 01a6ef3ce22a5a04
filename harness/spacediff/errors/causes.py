"""What an error of Python, of the system or of a library means: out of memory, a full disk, or only its text."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from spacediff.errors.generation import DiskFull
from spacediff.privacy.redaction import redact_text


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python or torch means that memory ran out, on the accelerator or on the machine."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & {"OutOfMemoryError", "MemoryError"}) or "can't allocate memory" in str(error)


def raise_if_disk_full(error: BaseException, place: Path | None = None) -> None:
    """Raise `DiskFull` if an error means that a disk or a quota is full; it may be the cause of the error.

    Args:
        error: What was raised.
        place: Where was written, for errors that name no file.

    Raises:
        DiskFull: The system refused to write for lack of space.
    """
    if full := disk_full(error, place):
        raise full from error


def disk_full(error: BaseException, place: Path | None = None) -> DiskFull | None:
    """Return the error of a full disk or quota that an error is, or has as its cause; None if there is none."""
    for each in causes_of(error):
        if isinstance(each, DiskFull):
            return each
        if isinstance(each, Exception) and _says_full(each):
            file = each.filename if isinstance(each, OSError) else None
            where = f": {os.fsdecode(file)} cannot be written" if isinstance(file, str | bytes) else ""
            return DiskFull(
                f"the disk {f'of {place} ' if place and not where else ''}is full{where}",
                hint="free some space, then run the same command again: finished runs are kept",
            )
    return None


def _says_full(error: Exception) -> bool:
    """Whether an error of the system, of a program or of safetensors is that of a full disk."""
    if isinstance(error, OSError):  # a program such as ffmpeg has only the system's words for it
        return error.errno in _FULL or any(os.strerror(number) in str(error) for number in _FULL)
    # safetensors' writer is no OSError and has the number as Rust prints it
    return type(error).__name__ == "SafetensorError" and any(f"(os error {number})" in str(error) for number in _FULL)


_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""The system's errors for a full disk and for a used-up quota; Windows has no number for the second."""


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, its cause, the cause of that, and so on."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        yield current
        seen.append(current)
        current = current.__cause__ or current.__context__


def failure(error: Exception) -> str:
    """Describe an exception in one line: its type and the first line of its message, at most 300 characters.

    The text is redacted before it is cut, since a part of a secret would not be recognised.
    """
    lines = [line.strip() for line in redact_text(str(error)).splitlines() if line.strip()]
    return f"{type(error).__name__}: {(lines or ['no message'])[0]}"[:300]
