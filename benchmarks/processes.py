"""Run a command as a separate process and measure time and memory; without large imports."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_READ_EVERY = 0.05
_ROOT = Path(__file__).parent.parent  # the folder from which `python -m benchmarks...` works


@dataclass(frozen=True)
class Outcome:
    """The outcome of a process.

    Attributes:
        seconds: Duration.
        megabytes: The most memory that was seen to be resident in the process and its children, read every 50 ms.
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
        bytes_seen = 0
        while True:
            try:
                process.wait(_READ_EVERY)
                break
            except subprocess.TimeoutExpired:
                bytes_seen = max(bytes_seen, _resident(process.pid))
        seconds = time.perf_counter() - start
        printed.seek(0)
        errors.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command[2]} exited with {process.returncode}: {errors.read().decode()[-2000:]}")
        return Outcome(seconds, bytes_seen / 2**20, printed.read().decode())


def _resident(pid: int) -> int:
    """Return the resident bytes of a process and its children; not their peaks, which our own workers begin again."""
    try:
        own = psutil.Process(pid)
        return sum(_resident_of(each) for each in (own, *own.children(recursive=True)))
    except psutil.Error:
        return 0


def _resident_of(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
