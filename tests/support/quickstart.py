"""The quickstart scenario as the real command audits it: once in a session, begun before the first test.

It runs in a folder that holds packages called `harness`, `spacediff`, `torch` and `random`: whatever the working folder
holds, a command and its children import what is installed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from spacediff.record import AuditRecord, read_record
from spacediff.shipped import shipped

DECOYS = ("harness", "spacediff", "torch", "random")
_LONGEST = 1500.0
"""Seconds to wait for the end of the audit."""
_KEEPING = '"$0" "$@" >stdout 2>stderr; echo $? >code.part; mv code.part code'
"""Runs a command in the shell and keeps what it printed."""

_begun: list[subprocess.Popen[bytes]] = []
"""Kept until the end, since Python warns about a running process without a reference."""


@dataclass(frozen=True)
class Finished:
    """The result of a command.

    Attributes:
        folder: The audit folder.
        record: The audit's record.
        code: Exit code.
        stdout: Its standard output.
        stderr: Its standard error.
    """

    folder: Path
    record: AuditRecord
    code: int
    stdout: str
    stderr: str


def begin(shared: Path, cache: Path) -> None:
    """Start the audit, unless a process of this session has started it.

    Args:
        shared: A folder that all processes of this test session share.
        cache: Folder for the tiny checkpoint.
    """
    work = _folder(shared).parent
    with FileLock(shared / "quickstart.lock"):
        if work.exists():
            return
        for name in DECOYS:
            (work / name).mkdir(parents=True)
            (work / name / "__init__.py").write_text(f"raise SystemExit('{name} of the working folder was imported')\n")
        command = Path(sys.executable).with_name("spacediff")
        scenario = shipped("scenarios") / "quickstart.toml"
        _begun.append(
            subprocess.Popen(
                ["sh", "-c", _KEEPING, command, "audit", scenario, "--out", _folder(shared)],  # noqa: S607 - a test's shell
                cwd=work,
                env={**os.environ, "SPACEDIFF_CACHE": str(cache)},
                start_new_session=True,
            )
        )


def stop() -> None:
    """End the audit, where it still runs."""
    for process in _begun:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ended(shared: Path) -> Finished:
    """Wait for its end."""
    folder, deadline = _folder(shared), time.monotonic() + _LONGEST
    while not (outcome := folder.parent / "code").exists():
        if time.monotonic() > deadline:
            pytest.fail("the quickstart did not end in time")
        time.sleep(0.2)
    stdout, stderr = ((folder.parent / name).read_text("utf-8") for name in ("stdout", "stderr"))
    assert (folder / "audit.json").is_file(), stderr
    return Finished(folder, read_record(folder), int(outcome.read_text()), stdout, stderr)


def _folder(shared: Path) -> Path:
    return shared / "quickstart" / "audit"
