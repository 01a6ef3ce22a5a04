"""Worker processes without their start-up: the same program and the same messages, forked from a warm process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import IO, NoReturn

import psutil

from spacediff.worker.child import serve
from spacediff.worker.process import Started
from support import fresh_process

_Sockets = tuple[socket.socket, socket.socket, socket.socket]


def start_forked(environ: dict[str, str]) -> Started:
    """Start a worker process as `spacediff.worker.process.start_worker` does, but from the server of `forked`."""
    ours, theirs = _connected()
    process = fresh_process.forked(_serve, *theirs, dict(os.environ) | environ, daemon=True)

    def wait(timeout: float) -> int:
        process.join(timeout)
        if process.exitcode is None:
            raise subprocess.TimeoutExpired("the worker", timeout)
        return process.exitcode

    assert process.pid
    return Started(process.pid, *_files(ours, theirs), process.kill, wait)


def start_from_here(environ: dict[str, str]) -> Started:
    """The same from a process that the server has made, and that has not computed anything."""
    ours, theirs = _connected()
    pid = os.fork()
    if not pid:
        _become(ours, theirs, dict(os.environ) | environ)
    process = psutil.Process(pid)

    def wait(timeout: float) -> int:
        try:
            return process.wait(timeout) or 0
        except psutil.TimeoutExpired as error:
            raise subprocess.TimeoutExpired("the worker", timeout) from error

    return Started(pid, *_files(ours, theirs), process.kill, wait)


def _connected() -> tuple[_Sockets, _Sockets]:
    """Connections for requests, answers and what is printed, from both sides."""
    (a, b), (c, d), (e, f) = (socket.socketpair() for _ in range(3))
    return (a, c, e), (b, d, f)


def _files(ours: _Sockets, theirs: _Sockets) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    requests, answers, printed = ours
    files = requests.makefile("wb"), answers.makefile("rb"), printed.makefile("rb")
    for each in (*ours, *theirs):
        each.close()  # the files keep ours open
    return files


def _become(ours: _Sockets, theirs: _Sockets, environ: dict[str, str]) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for each in ours:
        each.close()
    try:
        _serve(*theirs, environ)
    finally:
        os._exit(1)


def _serve(requests: socket.socket, answers: socket.socket, stderr: socket.socket, environ: dict[str, str]) -> None:
    for number in (1, 2):
        os.dup2(stderr.fileno(), number)
    stderr.close()
    sys.stdout = sys.stderr
    os.environ.clear()
    os.environ.update(environ)
    serve(requests.makefile("rb"), answers.makefile("wb"))
