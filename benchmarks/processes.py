"""Runs a command as a process of its own and says what it took; imports nothing large itself.

A child's peak memory begins with its parent's at the moment of the fork, so the process that measures must be small.
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

_ROOT = Path(__file__).parent.parent  # where `python -m benchmarks...` finds the parts


@dataclass(frozen=True)
class Outcome:
    """What a process did.

    Attributes:
        seconds: From its start to its end.
        megabytes: Peak memory of the process, or of the largest of those that it started.
        output: What it printed.
    """

    seconds: float
    megabytes: float
    output: str


def run(command: Sequence[str]) -> Outcome:
    """Run a command to its end.

    Raises:
        RuntimeError: The command failed; carries what it said.
    """
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=printed, stderr=said, cwd=_ROOT)  # noqa: S603 - the benchmarks' own commands
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        said.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command[2]} ended with {process.returncode}: {said.read().decode()[-2000:]}")
        kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
        return Outcome(seconds, kilobytes / 1024, printed.read().decode())
