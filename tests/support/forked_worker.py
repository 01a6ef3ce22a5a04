"""Worker processes without their start-up: the same program and the same messages, forked from a warm server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from spacediff.worker.child import serve
from spacediff.worker.process import Started
from support.fresh_process import forked


def start_forked(environ: dict[str, str]) -> Started:
    """Start a worker process as `spacediff.worker.process.start_worker` does, but from the server of `forked`."""
    pairs = [socket.socketpair() for _ in range(3)]
    (requests, answers, printed), theirs = ([pair[side] for pair in pairs] for side in (0, 1))
    process = forked(_serve, *theirs, dict(os.environ) | environ, daemon=True)
    files = requests.makefile("wb"), answers.makefile("rb"), printed.makefile("rb")
    for each in (*theirs, requests, answers, printed):
        each.close()  # the files keep ours open

    def wait(timeout: float) -> int:
        process.join(timeout)
        if process.exitcode is None:
            raise subprocess.TimeoutExpired("the worker", timeout)
        return process.exitcode

    assert process.pid
    return Started(process.pid, *files, process.kill, wait)


def _serve(requests: socket.socket, answers: socket.socket, stderr: socket.socket, environ: dict[str, str]) -> None:
    for number in (1, 2):
        os.dup2(stderr.fileno(), number)
    stderr.close()
    sys.stdout = sys.stderr
    os.environ.clear()
    os.environ.update(environ)
    serve(requests.makefile("rb"), answers.makefile("wb"))
