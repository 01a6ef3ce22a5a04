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
import time
from pathlib import Path
from typing import IO, Any

import psutil

APART: dict[str, Any] = {
    "start_new_session": True,  # ignored on Windows
    "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Windows alone has it
}
"""Arguments of `subprocess.Popen` for a process that does not receive this terminal's Ctrl-C."""
_LOOKED_EVERY = 0.02
"""Seconds between two looks at processes that are to end."""
_MOST_ROUNDS = 50


def python(*arguments: str) -> list[str]:
    """Return the command that runs this interpreter; packages of the working folder are not imported."""
    return [sys.executable, "-P", *arguments]


def interpreter_in(environment: Path) -> Path:
    """Return the Python of an environment, which need not be there yet."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


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


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds, in bytes; 0 if it has ended."""
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def stop(process: subprocess.Popen[bytes], patience: float) -> None:
    """End a process and its descendants, and wait for the process; one that has ended is only waited for.

    Args:
        process: A process that this one started.
        patience: Seconds to wait after the request to end (SIGTERM; Windows has no request and ends it at once)
            before it is killed.
    """
    family = _with_descendants(process)
    try:
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    finally:  # a second Ctrl-C ends the waiting, not the killing
        _, alive = psutil.wait_procs(family, timeout=0)
        for each in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process has ended. Where the system allows it, its process id stays its own until it is waited for."""
    if process.returncode is not None or not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def stop_session(process: subprocess.Popen[bytes], patience: float) -> None:
    """End a process that was started `APART` with its descendants and its session, and wait for it.

    Only a process that has begun a session of its own and whose parent has ended is not found.

    Args:
        process: A process that this one started and has not waited for.
        patience: Seconds between the request to end and the killing.
    """
    try:
        family = _session_of(process)
        for each in family:
            with contextlib.suppress(psutil.Error):
                each.terminate()
        until = time.monotonic() + patience
        while time.monotonic() < until and not (has_ended(process) and not any(map(_is_alive, family))):
            time.sleep(_LOOKED_EVERY)
    finally:  # a second Ctrl-C ends the waiting, not the killing
        _kill_session(process)
        process.wait()


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a session; one that starts others meanwhile needs more than one round."""
    for _ in range(_MOST_ROUNDS):
        alive = [each for each in _session_of(process) if _is_alive(each)]
        if not alive:
            break
        for each in alive:
            with contextlib.suppress(psutil.Error):
                each.kill()
        time.sleep(_LOOKED_EVERY)


def _session_of(process: subprocess.Popen[bytes]) -> list[Any]:
    """Return a process with its descendants, and what has stayed in its session after its own parent ended."""
    if process.returncode is not None:  # its process id may belong to another by now
        return []
    family = {each.pid: each for each in _with_descendants_of(process.pid)}
    for pid in psutil.pids() if hasattr(os, "getsid") else ():
        with contextlib.suppress(OSError, psutil.Error):
            if pid not in family and os.getsid(pid) == process.pid:
                family[pid] = psutil.Process(pid)
    return list(family.values())


def _is_alive(each: Any) -> bool:
    """Whether a process computes; one that nobody has waited for yet does not."""
    with contextlib.suppress(psutil.Error):
        return bool(each.is_running() and each.status() != psutil.STATUS_ZOMBIE)
    return False


def _with_descendants(process: subprocess.Popen[bytes]) -> list[Any]:
    if process.poll() is not None:  # its process id may belong to another by now
        return []
    return _with_descendants_of(process.pid)


def _with_descendants_of(pid: int) -> list[Any]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
