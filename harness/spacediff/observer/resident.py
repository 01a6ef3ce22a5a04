"""What is resident in this process, and the most of it in a stage."""

from __future__ import annotations

from typing import Any

_STATUS, _CLEAR = "/proc/self/status", "/proc/self/clear_refs"
_RESET_PEAK = "5"
"""Written to `clear_refs`, it makes what is resident now the peak: docs.kernel.org/filesystems/proc.html, table 1-1."""


class Resident:
    """The memory that is resident in this process, in bytes.

    The key insight: a decoder takes gigabytes for a moment inside one call, which is over whenever it is looked at. The
    kernel of Linux counts the peak itself, and lets a process begin a new one. On other systems, and of what came
    before in a process whose peak is not ours to begin, what is resident now is the best that is known.

    Args:
        resets: Whether a new peak may be begun.
    """

    def __init__(self, *, resets: bool) -> None:
        self._resets = resets
        self._before = 0
        self._process = _this_process()

    def reset(self) -> None:
        """Begin a new peak."""
        if self._resets:
            try:
                with open(_CLEAR, "w", encoding="ascii") as clear:  # noqa: PTH123 - no file, but a request to the kernel
                    clear.write(_RESET_PEAK)
            except OSError:  # another system, or a container without it
                pass
        self._before = _status("VmHWM")

    def read(self) -> int:
        """Return the peak since the last reset, or what is resident now where that is not known; 0 without psutil."""
        peak = _status("VmHWM")
        if peak > self._before:
            return peak
        return int(self._process.memory_info().rss) if self._process is not None else 0


def _status(name: str) -> int:
    """Return an entry of this process's status, in bytes; 0 where the system has none."""
    try:
        with open(_STATUS, encoding="ascii") as status:  # noqa: PTH123 - see above
            line = next((line for line in status if line.startswith(f"{name}:")), "")
    except (OSError, UnicodeDecodeError):
        return 0
    return int(line.split()[1]) * 1024 if line else 0


def _this_process() -> Any:
    """Return this process for psutil; None where psutil, which comes with accelerate, is not installed."""
    try:
        import psutil
    except ModuleNotFoundError:
        return None
    return psutil.Process()
