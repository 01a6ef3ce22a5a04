"""Run a command as a separate process and measure time and memory; without large imports.

The peak memory of a child starts at that of its parent at the time of the fork, so the measuring process must be small.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parent.parent  # the folder from which `python -m benchmarks...` works


@dataclass(frozen=True)
class Outcome:
    """The outcome of a process.

    Attributes:
        seconds: Duration.
        megabytes: Peak memory of the process, or of its largest child.
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
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        errors.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command[2]} exited with {process.returncode}: {errors.read().decode()[-2000:]}")
        kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
        return Outcome(seconds, kilobytes / 1024, printed.read().decode())
