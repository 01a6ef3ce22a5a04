"""The process of a script: started in a scratch copy of its folder, and asked for its call, once or repeatedly."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacediff.errors import GenerationFailed
from spacediff.interrupts import raise_if_interrupted
from spacediff.privacy.redaction import redact_text
from spacediff.processes import APART, last_lines, stop_session
from spacediff.progress import Progress
from spacediff.recordings import Recording
from spacediff.recordings.assembling import assembled
from spacediff.recordings.scratch import fill_scratch
from spacediff.recordings.script import check_interpreter, inject, program_of, watched_environment
from spacediff.run import Run
from spacediff.watch.overriding import FILE, OUTCOME, PASSED
from spacediff.watch.repeating import ASKED

_WATCHED_EVERY = 0.1
"""Seconds between two looks at an interruption and at the call."""
_PATIENCE = 1.0
"""Seconds that a script and what it has started have to end by themselves."""
_LOG_LINES = 3


@dataclass(frozen=True)
class Asked:
    """What a run asks for.

    Attributes:
        script: The script.
        arguments: Its arguments.
        folder: The folder that it is run in.
        interpreter: The interpreter.
        call: The number of the call; None for the first one that is to return frames.
        isolated: Whether only the packages of its own environment can be imported.
    """

    script: Path
    arguments: tuple[str, ...]
    folder: Path
    interpreter: str
    call: int | None
    isolated: bool = False

    @classmethod
    def of(cls, run: Run) -> Asked:
        """Return what a run of a script asks for."""
        request = run.request
        return cls(
            Path(request["script"]),
            tuple(request["arguments"]),
            Path(request["folder"]),
            request.get("python", sys.executable),
            request.get("call"),
            bool(request.get("isolated")),
        )


@dataclass(frozen=True)
class Left:
    """What a process has left of one call.

    Attributes:
        folder: The folder that it wrote into.
        recording: Its recording, whose clips are in the folder.
        outcome: What was put in or refused; empty where the script did not come to the call.
        passed: The calls that came before, by number and place.
        seconds: From the beginning of the process, or from the request to repeat the call.
        is_repeat: Whether the process had made the call before.
    """

    folder: Path
    recording: Recording
    outcome: Mapping[str, Any]
    passed: tuple[str, ...]
    seconds: float
    is_repeat: bool

    @property
    def ended(self) -> Mapping[str, Any]:
        """How the call differs from another run, where enough of that was seen to end it; empty for a whole call."""
        return dict(self.outcome.get("ended") or {})

    def remove(self) -> None:
        """Remove what a repeat has left; not for the first call, whose folder takes the requests."""
        shutil.rmtree(self.folder, ignore_errors=True)


class ScriptProcess:
    """A process of a script, which `close` ends.

    Args:
        asked: What is run.
        environment: Variables that it needs besides ours.
        content: What is put into the call, as `spacediff.watch.overridden` takes it.

    Raises:
        InvalidArgument: The interpreter is not usable.
        GenerationFailed: It does not start, or the folder cannot be copied.
    """

    def __init__(self, asked: Asked, environment: Mapping[str, str], content: Mapping[str, Any]) -> None:
        check_interpreter(asked.interpreter)
        self._asked = asked
        self._temporary = tempfile.TemporaryDirectory(prefix="spacediff-script-", ignore_cleanup_errors=True)
        self._folder = Path(self._temporary.name)
        self._log = self._folder / "log"
        self._requests = 0
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start(environment, content)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process and remove its folder."""
        if self._process is not None:
            stop_session(self._process, _PATIENCE)
        self._temporary.cleanup()

    @property
    def written_over(self) -> list[str]:
        """Names of the linked files that the script has written over."""
        return [each.path.name for each in self._links if not each.is_as_before]

    @property
    def is_alive(self) -> bool:
        """Whether the process can be asked again."""
        return self._process is not None and self._process.poll() is None

    def printed(self) -> str:
        """Return the last lines that the script has printed, after a semicolon; empty without any."""
        lines = last_lines(redact_text(self._log.read_text("utf-8", "replace")), _LOG_LINES)
        return f"; it printed: {' | '.join(lines)}" if lines else ""

    def first(self, progress: Progress) -> Left:
        """Return what the call leaves, when it has been made or the process has ended."""
        progress.on_status(f"running {self._asked.script.name}")
        return self._left(self._place(0), progress)

    def repeat(self, content: Mapping[str, Any], progress: Progress) -> Left:
        """Ask for the call again, with other settings, and return what it leaves."""
        self._requests += 1
        self._began = time.monotonic()
        folder = self._place(self._requests)
        folder.mkdir()
        progress.on_status(f"repeating the call of {self._asked.script.name}")
        request = self._place(0) / ASKED / f"{self._requests}.json"
        part = request.with_suffix(".part")
        part.write_text(json.dumps({**content, "folder": str(folder)}), encoding="utf-8")
        part.replace(request)
        return self._left(folder, progress)

    def _place(self, number: int) -> Path:
        return self._folder / f"left-{number}"

    def _start(self, environment: Mapping[str, str], content: Mapping[str, Any]) -> None:
        asked, injected, scratch, left = (
            self._asked,
            self._folder / "injected",
            self._folder / "scratch",
            self._place(0),
        )
        scratch.mkdir()
        left.mkdir()
        self._links = fill_scratch(asked.folder, scratch)
        inject(injected)
        (left / f"{FILE}.json").write_text(json.dumps(content), encoding="utf-8")
        program, _ = program_of(asked.script, injected)
        self._began = time.monotonic()
        with self._log.open("wb") as printed:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the user's own script, which the scenario names
                    [asked.interpreter, *program, *asked.arguments],
                    cwd=scratch,
                    env={**watched_environment(injected, left, {}, isolated=asked.isolated), **environment},
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=subprocess.STDOUT,
                    **APART,
                )
            except OSError as error:
                raise GenerationFailed(f"{asked.interpreter} does not start: {error.strerror}") from error

    def _left(self, folder: Path, progress: Progress) -> Left:
        code = self._waited(folder, progress)
        recording = assembled(folder, self._asked.script, exit_code=code, private=False)
        outcome, passed = _read(folder / f"{OUTCOME}.json"), _read(folder / f"{PASSED}.json").get("calls", ())
        return Left(folder, recording, outcome, tuple(passed), time.monotonic() - self._began, self._requests > 0)

    def _waited(self, folder: Path, progress: Progress) -> int:
        """Wait until the call has been made, or the process has ended, and return its exit code; 0 while it waits."""
        called, process = False, self._process
        while process is not None:
            raise_if_interrupted()
            if not called and any(folder.glob("calls/*/call.json")):
                called = True
                progress.on_status(f"generating in {self._asked.script.name}")
            try:
                return process.wait(_WATCHED_EVERY)
            except subprocess.TimeoutExpired:
                if (folder / f"{OUTCOME}.json").is_file() and self._holds:
                    return 0
        return 0

    @property
    def _holds(self) -> bool:
        return (self._place(0) / ASKED).is_dir()


def _read(file: Path) -> dict[str, Any]:
    """Return what a process has written; nothing where it did not come to that."""
    try:
        return dict(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError):
        return {}


CAN_HOLD = os.name == "posix"
"""Whether a process that waits sees the end of the one that asks."""
