"""Run a command as a separate process and measure time and memory; without large imports.

The peak memory of a child starts at that of its parent at the time of the fork, so the measuring process must be small.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_READ_EVERY = 0.25
_ROOT = Path(__file__).parent.parent  # the folder from which `python -m benchmarks...` works


@dataclass(frozen=True)
class Outcome:
    """The outcome of a process.

    Attributes:
        seconds: Duration.
        megabytes: The most memory of the process, or what was seen to be resident in it and its children, if more.
        output: Standard output.
    """

    seconds: float
    megabytes: float
    output: str


def run(command: Sequence[str]) -> Outcome:
    """Run a command and wait for its end.

    Raises:
        RuntimeError: The command failed; the message contains the end of its standard error.
    """
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=printed, stderr=errors, cwd=_ROOT)  # noqa: S603 - the benchmarks' own commands
        ended, seen = threading.Event(), [0]
        reading = threading.Thread(target=_read, args=(process.pid, seen, ended), daemon=True)
        reading.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        reading.join()
        printed.seek(0)
        errors.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command[2]} exited with {process.returncode}: {errors.read().decode()[-2000:]}")
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Outcome(seconds, max(peak, *seen) / 2**20, printed.read().decode())


def _read(pid: int, seen: list[int], ended: threading.Event) -> None:
    """Note what is resident until the process has ended; seldom, since reading takes a processor from what is timed."""
    while not ended.wait(_READ_EVERY):
        seen.append(resident(pid))


def resident(pid: int) -> int:
    """Return the resident bytes of a process and its children; 0 if it has ended.

    Not their peaks, which our own workers begin again. A child with the same command line is about to start a program,
    and its memory is its parent's.
    """
    total = 0
    with suppress(psutil.Error):
        own = psutil.Process(pid)
        command, total = own.cmdline(), own.memory_info().rss
        for each in own.children(recursive=True):
            with suppress(psutil.Error):
                if each.cmdline() != command:
                    total += each.memory_info().rss
    return total
