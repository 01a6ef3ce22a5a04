"""Worker processes without their start-up: the same program and the same messages, forked from a warm server."""

from __future__ import annotations

import os
import socket
import sys

from spacediff.worker.child import serve
from spacediff.worker.process import Started
from support.fresh_process import forked


def start_forked(environ: dict[str, str]) -> Started:
    """Start a worker process as `spacediff.worker.process.start_worker` does, but from the server of `forked`."""
    (ours, theirs), (log, stderr) = socket.socketpair(), socket.socketpair()
    process = forked(_serve, theirs, stderr, dict(os.environ) | environ, daemon=True)
    for each in (theirs, stderr):
        each.close()
    requests, answers, printed = ours.makefile("wb"), ours.makefile("rb"), log.makefile("rb")
    for each in (ours, log):
        each.close()  # the files keep it open

    def wait(timeout: float) -> int:
        process.join(timeout)
        assert process.exitcode is not None
        return process.exitcode

    assert process.pid
    return Started(process.pid, requests, answers, printed, process.kill, wait)


def _serve(connection: socket.socket, stderr: socket.socket, environ: dict[str, str]) -> None:
    for number in (1, 2):
        os.dup2(stderr.fileno(), number)
    stderr.close()
    sys.stdout = sys.stderr
    os.environ.clear()
    os.environ.update(environ)
    serve(connection.makefile("rb"), connection.makefile("wb"))
