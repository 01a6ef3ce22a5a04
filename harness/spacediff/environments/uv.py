"""Run uv to its end: with a deadline, what it says as the progress, and without leaving it behind at Ctrl-C."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from spacediff.errors import EnvironmentUnavailable
from spacediff.interrupts import raise_if_interrupted
from spacediff.privacy.redaction import redact_text
from spacediff.processes import APART, has_ended, last_lines, stop_session
from spacediff.progress import Progress

_LOOKED_EVERY = 0.05
"""Seconds between two looks at the process."""
_PATIENCE = 2.0
"""Seconds between the request to end and the killing."""
_LINES = 6
_LONGEST = 200
_FRAME = " ╰\u00d7▶├│─"
"""What uv draws around its messages."""
_FORGOTTEN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "UV_PROJECT", "UV_CONFIG_FILE")
"""Variables that would change what is resolved or installed without being part of what is asked for."""


def uv_program() -> str | None:
    """Return the path of uv: that of this environment, which need not be activated, or else the first on the PATH."""
    places = [sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]
    return shutil.which("uv", path=os.pathsep.join(places))


def run_uv(
    arguments: Sequence[str], deadline: float, progress: Progress, variables: Mapping[str, str] | None = None
) -> str:
    """Run uv to its end, and return the last line that it printed, with nothing removed.

    Args:
        arguments: Its arguments.
        deadline: Seconds after which it is stopped.
        progress: Receives the last line that it printed.
        variables: Variables that it gets beside those of the user.

    Raises:
        EnvironmentUnavailable: There is no uv; or it failed, with what it said, or was not ready in time.
        KeyboardInterrupt: The user interrupted; uv is stopped.
    """
    program = uv_program()
    if program is None:
        raise EnvironmentUnavailable(
            "another environment needs uv, which is not installed", hint="pip install uv, and run the audit again"
        )
    with tempfile.TemporaryDirectory(prefix="spacediff-uv-") as temporary:
        log = Path(temporary) / "log"
        with log.open("wb") as printed:
            try:
                process = subprocess.Popen(  # noqa: S603 - what a setting asks for
                    [program, "--no-config", "--no-progress", "--color", "never", *arguments],
                    cwd=temporary,  # whatever configures uv in the user's folder is of another project
                    env={**environ(), **(variables or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=subprocess.STDOUT,
                    **APART,
                )
            except OSError as error:
                raise EnvironmentUnavailable(f"uv does not start: {error.strerror}") from error
            try:
                _wait(process, log, deadline, progress)
            finally:
                stop_session(process, _PATIENCE)
        if process.returncode:
            raise EnvironmentUnavailable(f"uv {arguments[0]} failed: {_said(log) or 'it printed nothing'}")
        return "".join(last_lines(_end_of(log), 1)).strip()


def environ() -> Mapping[str, str]:
    """Return the variables that uv gets: the user's, with the index and the cache that they name."""
    return {name: value for name, value in os.environ.items() if name not in _FORGOTTEN}


def _wait(process: subprocess.Popen[bytes], log: Path, deadline: float, progress: Progress) -> None:
    until, shown = time.monotonic() + deadline, ""
    while not has_ended(process):
        raise_if_interrupted()
        if time.monotonic() > until:
            raise EnvironmentUnavailable(
                f"uv had not ended after {deadline:g} s and was stopped", hint=_said(log) or "it printed nothing"
            )
        if (last := "".join(_lines(log, 1))) != shown:
            shown = last
            progress.on_status(shown)
        time.sleep(_LOOKED_EVERY)


def _said(log: Path) -> str:
    return " ".join(line.strip(_FRAME) for line in _lines(log, _LINES))


def _lines(log: Path, count: int) -> list[str]:
    return [line.strip()[:_LONGEST] for line in last_lines(redact_text(_end_of(log)), count)]


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - 8192, 0))
        return file.read().decode("utf-8", "replace")
