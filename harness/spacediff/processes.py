"""Child processes: start one that Ctrl-C does not reach, and stop it together with its own children, on every system.

Windows has neither sessions nor SIGKILL, so nothing here names a signal: psutil ends a process the way its system does.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import IO, Any

import psutil

APART: dict[str, Any] = {
    "start_new_session": True,  # ignored on Windows
    "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Windows alone has it
}
"""Arguments of `subprocess.Popen` for a process that does not receive this terminal's Ctrl-C."""


def python(*arguments: str) -> list[str]:
    """Return the command that runs this interpreter; packages of the working folder are not imported."""
    return [sys.executable, "-P", *arguments]


def child_environment() -> dict[str, str]:
    """Return our environment, extended so that this package can be imported even if it is not installed.

    Variables that choose kernels or the number of threads are the same in all our processes.
    """
    root = str(Path(__file__).parents[1])
    if root in sysconfig.get_paths().values():
        return dict(os.environ)
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))}


def queue_lines(pipe: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Queue the lines of a pipe and an empty one at its end; a pipe that is not read to its end blocks the writer."""
    with contextlib.suppress(OSError, ValueError), pipe:  # a pipe that is closed meanwhile has ended too
        for line in pipe:
            lines.put(line)
    lines.put(b"")


def last_lines(printed: str, count: int) -> list[str]:
    """Return the last lines that are not blank; progress bars end in a carriage return and count as lines."""
    return [line for line in re.split(r"[\r\n]+", printed) if line.strip()][-count:]


def stop(process: subprocess.Popen[bytes], patience: float) -> None:
    """End a process and its descendants, and wait for the process; one that has ended is only waited for.

    Args:
        process: A process that this one started.
        patience: Seconds to wait after the request to end (SIGTERM; Windows has no request and ends it at once)
            before it is killed.
    """
    family = _with_descendants(process)
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    _, alive = psutil.wait_procs(family, timeout=0)
    for each in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()


def _with_descendants(process: subprocess.Popen[bytes]) -> list[Any]:
    if process.poll() is not None:  # its process id may belong to another by now
        return []
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
