"""What is resident in this process, and the most of it in a stage."""

from __future__ import annotations

from typing import Any

_STATUS, _CLEAR = "/proc/self/status", "/proc/self/clear_refs"
_RESET_PEAK = b"5"
"""Written to `clear_refs`, it makes what is resident now the peak: docs.kernel.org/filesystems/proc.html, table 1-1."""


class Resident:
    """The memory that is resident in this process, in bytes.

    The key insight: a decoder takes gigabytes inside one call, and gives them back before the call returns. The kernel
    of Linux counts the peak itself, and lets a process begin a new one. On other systems, and in a process that may
    read its peak itself, where none is begun, a stage below the peak of an earlier one has what was seen to be
    resident.

    Args:
        resets: Whether a new peak may be begun. It is also the peak that `getrusage` and GNU time report.
    """

    def __init__(self, *, resets: bool) -> None:
        self._resets = resets
        self._before = 0
        self._process = _this_process()

    def reset(self) -> None:
        """Begin a new peak."""
        if self._resets:
            try:
                with open(_CLEAR, "wb") as clear:  # noqa: PTH123 - no file, but a request to the kernel
                    clear.write(_RESET_PEAK)
            except OSError:  # another system, or a container without it
                pass
        self._before = _peak()

    def read(self) -> int:
        """Return the peak since the last reset, or what is resident now where that is not known; 0 without psutil."""
        peak = _peak()
        if peak > self._before:
            return peak
        return int(self._process.memory_info().rss) if self._process is not None else 0


def _peak() -> int:
    """Return the peak of what is resident in this process, in bytes; 0 where the system does not count it."""
    try:
        with open(_STATUS, "rb") as status:  # noqa: PTH123 - see above; its first line is the name of the process
            line = next((line for line in status if line.startswith(b"VmHWM:")), b"")
    except OSError:
        return 0
    return int(line.split()[1]) * 1024 if line else 0


def _this_process() -> Any:
    """Return this process for psutil; None where psutil, which comes with accelerate, is not installed."""
    try:
        import psutil
    except ModuleNotFoundError:
        return None
    return psutil.Process()
