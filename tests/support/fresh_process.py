"""Fresh processes without their start-up: each is forked from a server that has imported the heavy libraries.

Not for tests of what a library reads from its environment when it is imported, such as `HF_ENDPOINT`, and not for tests
of start-up itself: those start a real interpreter.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["support.preloaded"])


def forked(target: Callable[..., None], *arguments: object, daemon: bool = False) -> ForkServerProcess:
    """Call a function of a module in a fresh process. Arguments are pickled; sockets travel as they are.

    A daemon ends with this process, which otherwise waits for it.
    """
    process = _FORKS.Process(target=target, args=arguments, daemon=daemon)
    with pytest.MonkeyPatch.context() as patch:  # the first start imports what is preloaded
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        process.start()
    return process


class FreshProcess:
    """A running `python -m spacediff ARGUMENTS`.

    Args:
        arguments: Of the command.
        cwd: Its working folder.
        env: Its whole environment; by default this process's.
        program: A text to run in place of `python -m spacediff`.
        encoding: Of what it prints.
    """

    def __init__(
        self,
        *arguments: object,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        program: str = "",
        encoding: str = "utf-8",
    ) -> None:
        self._encoding = encoding
        self._files = [Path(tempfile.mkstemp(prefix=f"spacediff-{name}-")[1]) for name in ("stdout", "stderr")]
        words = [str(argument) for argument in arguments]
        self._process = forked(_become, words, str(cwd or Path.cwd()), dict(env or os.environ), program, self._files)

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid
        return self._process.pid

    def errors(self) -> str:
        """Return what it has printed to standard error until now."""
        return self._files[1].read_text(self._encoding, errors="replace")

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def ended(self, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Wait for its end and return what it printed; it is killed after so many seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        stdout, stderr = (file.read_text(self._encoding, errors="replace") for file in self._files)
        for file in self._files:
            file.unlink()
        assert self._process.exitcode is not None
        return subprocess.CompletedProcess([], self._process.exitcode, stdout, stderr)


def spacediff(
    *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None, program: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command in a fresh process; see `FreshProcess`."""
    return FreshProcess(*arguments, cwd=cwd, env=env, program=program).ended()


def _become(words: list[str], cwd: str, env: dict[str, str], program: str, files: list[Path]) -> None:
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_TRUNC), number)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the process it was forked from does
    sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115 - it is the process's own to its end
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["spacediff", *words]
    try:
        if program:
            exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})  # noqa: S102 - a test's own text
        else:
            from spacediff.worker import process
            from support.forked_worker import start_from_here

            process.start_worker = start_from_here
            runpy.run_module("spacediff", run_name="__main__")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
