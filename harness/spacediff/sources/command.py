"""The source of a program: run what a scenario names, and take the clip that it writes.

The program is the user's own, but what it does is unknown. So it runs in a session of its own, never through a shell,
with a deadline; its descendants and its session are ended with it, and of what it prints only a part is kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from spacediff.errors import (
    ProgramFailed,
    ProgramNotStarted,
    ProgramTimedOut,
    ProgramWithoutClip,
    VideoNotReadable,
)
from spacediff.files import make_folder, remove_folder, write_atomically
from spacediff.inputs.files import ensure_unchanged
from spacediff.interrupts import raise_if_interrupted
from spacediff.privacy.redaction import redact_text
from spacediff.privacy.short_lines import short_line
from spacediff.processes import APART, has_ended, last_lines, stop_session
from spacediff.programs import (
    clip_file,
    command_line,
    environ_of,
    found_program,
    interpreter_of,
    is_noticed,
    is_path,
    scratch_of,
    shown_command,
    trace_file,
    wants_trace,
)
from spacediff.progress import Progress
from spacediff.record import Fact, FactKind, TraceRecord, fact
from spacediff.record.derived.grouping import grouped
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings, numbers_only
from spacediff.sources import Produced
from spacediff.sources.built_environment import build, building_commands
from spacediff.sources.command_environment import IMPORTABLE, versions_of, with_trace_module
from spacediff.sources.command_trace import read_trace
from spacediff.sources.unsaid import with_unsaid
from spacediff.sources.video import take

_LOOKED_EVERY = 0.05
"""Seconds between two looks at a running program."""
_PATIENCE = 5.0
"""Seconds between the request to end and the killing."""
_ASKED_FOR = 60.0
"""Seconds that an interpreter may take to list its packages."""
_UNNOTICED = "no packages were found next to the program's interpreter, so that a change of them is not noticed"
_LOG_HEAD, _LOG_TAIL = 64_000, 192_000
"""Bytes of the output that are kept, of its beginning and of its end."""
_CHUNK = 2**16
_LAST_LINES = 5
_LONGEST_LINE = 300
_SHELL_SCRIPTS = (".bat", ".cmd")
"""What Windows runs through its shell, which reads a prompt as commands."""


def run_command(run: Run, folder: Path, audit: Path, progress: Progress) -> Produced:
    """Run a program and return its clip.

    Args:
        run: A run whose source is a command.
        folder: Folder for the unmodified clip.
        audit: The audit folder, for what the program writes and prints.
        progress: Receives the last line that the program has printed.

    Raises:
        ProgramUnusable: It was not found, failed, took too long or wrote no clip.
        InputUnusable: An input has changed since the audit was planned.
    """
    request, prompt = run.request, run.prompt
    for each in prompt.inputs:
        ensure_unchanged(each)
    scratch = scratch_of(audit, prompt.name, run.name)
    remove_folder(scratch)
    make_folder(scratch)
    began = time.monotonic()
    try:
        line = command_line(request, prompt.text, prompt.seed, prompt.inputs, scratch)
        environ = environ_of(request)
        _build(request, prompt.private, progress)
        program = _found(line[0], Path(request["folder"]), environ)
        if wants_trace(request):
            environ["PYTHONPATH"] = with_trace_module(environ.get("PYTHONPATH", ""), scratch)
        printed = _Printed(shown=not prompt.private)
        try:
            _run([program, *line[1:]], request, environ, printed, progress)
        finally:
            if not prompt.private:
                write_atomically(scratch.with_suffix(".log"), printed.text())
        seconds = time.monotonic() - began
        taken = _taken(clip_file(request, scratch), folder, printed, run.prompt)
        trace, seen, doubts = _trace(request, prompt, scratch)
        known, notes = _versions(request, scratch, environ, progress)
    finally:
        remove_folder(scratch)
    return replace(
        taken,
        settings=with_unsaid(taken.settings.changed_by(_declared(run)).changed_by(seen)),
        described=f"program {Path(line[0]).name}",
        seconds=seconds,
        warnings=(*taken.warnings, *notes, *doubts, *_without_seed(request)),
        trace=trace,
        hosted=known,
    )


def programs_to_run(runs: Iterable[Run], audit: Path) -> Iterator[Fact]:
    """Yield the exact command line of each program, for the user to see before any of them is run.

    Runs of one program differ in what its placeholders stand for; the line of the first is shown for all of them.

    Args:
        runs: Runs whose source is a command.
        audit: The audit folder.
    """
    for first, *others in grouped(runs, lambda run: json.dumps(run.request, sort_keys=True)):
        request, prompt = first.request, first.prompt
        for building in building_commands(request):
            plain = {**request, "env": {}}
            yield _runs(shown_command(plain, building), request)
        line = command_line(
            request, prompt.text, prompt.seed, prompt.inputs, scratch_of(audit, prompt.name, first.name)
        )
        with suppress(ProgramNotStarted):  # the run will say so
            line[0] = _found(line[0], Path(request["folder"]), environ_of(request))
        yield _runs(shown_command(request, line), request, again=len(others))


def _runs(command: str, request: Mapping[str, Any], *, again: int = 0) -> Fact:
    return fact(FactKind.PROGRAM_RUNS, command=command, folder=request["folder"], again=again)


def _build(request: Mapping[str, Any], private: bool, progress: Progress) -> None:  # noqa: FBT001 - of the prompt
    def run(line: Sequence[str]) -> None:
        _run(line, request, os.environ, _Printed(shown=not private), progress)

    build(request, run, progress)


def _declared(run: Run) -> Settings:
    settings = Settings.of(run.request["settings"], Origin.DECLARED, "reference.command.settings")
    command = {"command": {"run": list(run.request["run"])}}
    return numbers_only(settings) if run.prompt.private else settings.changed_by(Settings.of(command, Origin.DECLARED))


def _trace(
    request: Mapping[str, Any], prompt: Prompt, scratch: Path
) -> tuple[TraceRecord | None, Settings, tuple[str, ...]]:
    if not wants_trace(request):
        return None, Settings(), ()
    return read_trace(trace_file(scratch), private=prompt.private)


def _versions(
    request: Mapping[str, Any], scratch: Path, environ: Mapping[str, str], progress: Progress
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Ask the interpreter of the program, if it has one, for its versions; never the program itself."""

    def run(line: Sequence[str]) -> None:
        asked = {"folder": str(scratch), "deadline": _ASKED_FOR}
        _run(line, asked, environ, _Printed(shown=False), progress)

    interpreter = interpreter_of(request)
    known, notes = versions_of(interpreter, scratch, run) if interpreter else ({}, ())
    return known, notes if is_noticed(request) else (*notes, _UNNOTICED)


def _without_seed(request: Mapping[str, Any]) -> tuple[str, ...]:
    if any("{seed}" in each for each in request["run"]):
        return ()
    return ("the program is not given the seed, so that no seed here can match its own",)


def _found(program: str, folder: Path, environ: Mapping[str, str]) -> str:
    """Return the path of a program; a relative path starts at the program's folder.

    Raises:
        ProgramNotStarted: It is not there, or would run through a shell.
    """
    if not folder.is_dir():
        raise ProgramNotStarted(
            f"there is no folder {folder} to run the program in", hint="see reference.command.folder"
        )
    found = found_program(program, folder, environ)
    if found is None:
        where = f"in {folder}" if is_path(program) else "on the PATH"
        raise ProgramNotStarted(
            f"there is no program {program} {where}, or it is not executable", hint="see reference.command.run"
        )
    if found.lower().endswith(_SHELL_SCRIPTS):
        raise ProgramNotStarted(
            f"{Path(found).name} is a script of the Windows shell, which would read the prompt as commands",
            hint="name the program that it starts",
        )
    return found


def _run(
    line: Sequence[str], request: Mapping[str, Any], environ: Mapping[str, str], printed: _Printed, progress: Progress
) -> None:
    """Run a command line to its end.

    Raises:
        ProgramNotStarted: The system does not start it.
        ProgramTimedOut: It did not end in time.
        ProgramFailed: It ended with an error.
        KeyboardInterrupt: The audit was interrupted.
    """
    deadline, name = float(request["deadline"]), Path(line[0]).name
    with _started(line, Path(request["folder"]), environ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for
        reader = threading.Thread(target=printed.read, args=(process.stdout,), daemon=True)
        reader.start()
        until = time.monotonic() + deadline
        said = ""
        while not has_ended(process):
            raise_if_interrupted()
            if time.monotonic() > until:
                stop_session(process, _PATIENCE)
                reader.join(_PATIENCE)
                hint = printed.quoted() or "it printed nothing"
                raise ProgramTimedOut(f"{name} had not ended after {deadline:g} s and was stopped", hint=hint)
            if (last := printed.last()) != said:
                said = last
                progress.on_status(last)
            time.sleep(_LOOKED_EVERY)
        stop_session(process, _PATIENCE)
        reader.join(_PATIENCE)
    if process.returncode:
        how = f"exit code {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
        raise ProgramFailed(f"{name} ended with {how}", hint=printed.quoted() or "it printed nothing")


@contextmanager
def _started(line: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process in a session of its own, which ends with the block."""
    try:
        process = subprocess.Popen(  # noqa: S603 - what the scenario names, shown before
            list(line),
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **APART,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProgramNotStarted(f"{Path(line[0]).name} cannot be started: {reason}") from error
    try:
        yield process
    finally:
        if process.returncode is None:
            stop_session(process, _PATIENCE)


def _taken(file: Path, folder: Path, printed: _Printed, prompt: Prompt) -> Produced:
    """Take the clip that a program has written.

    Raises:
        ProgramWithoutClip: There is none, or it cannot be decoded.
    """
    if not file.is_file() or not file.stat().st_size:
        names = {each.name for each in file.parent.iterdir()} - {file.name, IMPORTABLE}
        others = [] if prompt.private else sorted(names)[:_LAST_LINES]
        instead = f"; instead it wrote {', '.join(others)}" if others else ""
        hint = printed.quoted() or 'it has to write its clip to "{out}"'
        raise ProgramWithoutClip(f"the program ended well, but wrote no {file.name}{instead}", hint=hint)
    try:
        return take(file, folder, prompt)
    except VideoNotReadable as error:
        hint = "reference.command.suffix names the kind of file that it writes"
        raise ProgramWithoutClip(
            f"the clip that the program wrote cannot be read: {error.message}", hint=hint
        ) from error


class _Printed:
    """What a program prints: the beginning and the end of it, however much it is.

    Args:
        shown: Whether it may be quoted; what a program prints of a private prompt may contain it in other words.
    """

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._held = 0
        self._left_out = 0

    def read(self, pipe: IO[bytes]) -> None:
        """Read a pipe to its end; called in a thread of its own."""
        with pipe:
            while chunk := os.read(pipe.fileno(), _CHUNK):
                self._add(chunk)

    def _add(self, chunk: bytes) -> None:
        fits = _LOG_HEAD - len(self._head)
        self._head += chunk[:fits] if fits > 0 else b""
        if rest := chunk[max(fits, 0) :]:
            self._tail.append(rest)
            self._held += len(rest)
        while self._held - len(self._tail[0]) > _LOG_TAIL if self._tail else False:
            dropped = len(self._tail.popleft())
            self._held -= dropped
            self._left_out += dropped

    def text(self) -> str:
        """Return what was printed, redacted; where some was left out, without the lines that were cut by it."""
        kept = b"".join(self._tail)
        left_out = self._left_out + max(len(kept) - _LOG_TAIL, 0)
        head, tail = bytes(self._head).decode("utf-8", "replace"), kept[-_LOG_TAIL:].decode("utf-8", "replace")
        if not left_out:
            return redact_text(head + tail)
        head, tail = head.rpartition("\n")[0], tail.partition("\n")[2]
        return redact_text(f"{head}\n[{left_out:,} bytes were left out]\n{tail}")

    def quoted(self) -> str:
        """Return the last lines for an error; empty if there are none, or none may be shown."""
        lines = last_lines(self.text(), _LAST_LINES) if self._shown else []
        return f"it printed: {' | '.join(short_line(line.strip(), _LONGEST_LINE) for line in lines)}" if lines else ""

    def last(self) -> str:
        """Return the last line that was printed."""
        end = bytes(self._tail[-1] if self._tail else self._head[-_CHUNK:]).decode("utf-8", "replace")
        lines = last_lines(end, 1) if self._shown else []
        return short_line(lines[0].strip(), _LONGEST_LINE) if lines else "the program runs"
