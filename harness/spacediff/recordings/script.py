"""Run a script in its own environment, unchanged, with the recording code in its process.

Python imports `sitecustomize` before a script, so a folder with ours is put in front of `PYTHONPATH`. Nothing is
installed there: the folder holds a copy of `spacediff.watch` and `spacediff.observer` under a name of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import spacediff.observer
import spacediff.watch
from spacediff.errors import FileNotAccessible, InvalidArgument
from spacediff.interrupts import left_to_a_child
from spacediff.recordings.archive import make_writable, write_recording
from spacediff.recordings.assembling import assembled, is_in_a_call
from spacediff.recordings.interpreters import answer_of, no_python
from spacediff.recordings.model import Recording
from spacediff.recordings.notebook import cells_to_run, is_notebook, write_cells
from spacediff.watch.start import FOLDER, OPTIONS, PYTHONPATH_BEFORE

_PACKAGE = "spacediff_watching"
_RUNNER = f"{_PACKAGE}.watch.notebook"
_OLDEST = (3, 10)
_SUFFIXES = frozenset({"", ".py", ".pyw", ".ipynb"})
"""Of files that are run; an installed command of Python has none."""
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_OF_REST = 10
"""Seconds without writing after each second of writing while the script runs."""
UNFINISHED = "the script was still running when this was written"
_SITECUSTOMIZE = f"""\
import {_PACKAGE}.watch.start
{_PACKAGE}.watch.start.begin()
"""


def record_script(
    script: Path,
    arguments: Sequence[str],
    file: Path,
    *,
    python: Path | None = None,
    call: int | None = None,
    private: bool = False,
    tensors: Sequence[int] | None = None,
) -> Recording:
    """Run a script, and write the recording of its pipeline calls.

    Standard input, output and error are the script's. Ctrl-C and a request to end reach the script; what was recorded
    until then is kept. What there is is also written while the script waits between calls, as an app does.

    An earlier recording stays where no call was seen, as when the script fails early.

    Args:
        script: The script, or a notebook, whose cells are run in its folder, one after another.
        arguments: Its arguments.
        file: The recording that is written.
        python: The interpreter; by default this one.
        call: The number of the only call to record; by default all are.
        private: Whether to leave out prompts, pictures, arguments and file names.
        tensors: Numbers of the steps, from 1, whose latents are kept, with embeddings and noise; none for a few steps;
            None for no tensors.

    Raises:
        FileExists: There is a file that is no recording.
        FileNotAccessible: There is no such script, or the recording cannot be written.
        InvalidArgument: It is a file of another kind, such as Markdown; the interpreter does not start, or is older
            than Python 3.10; tensors are to be kept of a private recording, or of a step before the first; the notebook
            has magics that are not run.
    """
    _refuse_tensors(tensors, private=private)
    if not script.is_file():
        raise FileNotAccessible(f"there is no script {script}")
    if script.suffix.lower() not in _SUFFIXES:
        hint = "a .py file, a notebook or an installed command of Python is run, nothing else"
        raise InvalidArgument(f"{script} is no script of Python", hint=hint)
    make_writable(file)
    earlier = file.exists()
    interpreter = _found(python)
    check_interpreter(interpreter)
    with tempfile.TemporaryDirectory(prefix="spacediff-recording-") as temporary:
        injected, folder = Path(temporary) / "injected", Path(temporary) / "recorded"
        folder.mkdir()
        inject(injected)
        environment = watched_environment(injected, folder, {"call": call, "tensors": tensors})
        program, place = program_of(script, injected)

        def write(exit_code: int, *notes: str) -> Recording:
            found = assembled(folder, script, exit_code=exit_code, private=private, notes=notes)
            return write_recording(found, folder, file) if found.calls or not earlier else found

        with left_to_a_child() as child:
            command = [interpreter, *program, *arguments]
            child.process = subprocess.Popen(command, env=environment, cwd=place)  # noqa: S603 - what the user asks for
            code = _waited(child.process, folder, lambda: write(0, UNFINISHED))
            return write(_exit_code(code))


def program_of(script: Path, injected: Path) -> tuple[list[str], Path | None]:
    """Return what the interpreter is to run for a script or a notebook, and where; None for the present folder.

    Args:
        script: The script.
        injected: A folder that `inject` has filled.

    Raises:
        FileNotAccessible: The notebook cannot be read.
        InvalidArgument: It has magics that are not run.
    """
    if not is_notebook(script):
        return [str(script)], None
    file = write_cells(script.name, cells_to_run(script), injected / _PACKAGE)
    return ["-c", f"__import__({_RUNNER!r}, fromlist=['run']).run({file!r})"], script.parent


def _waited(child: subprocess.Popen[bytes], folder: Path, write: Callable[[], object]) -> int:
    """Wait for a script, and return its exit code.

    An app waits for days for its next call, so what there is is written while no call runs, and for a tenth of the time
    at most.
    """
    seen: set[tuple[Path, int]] = set()
    due = 0.0
    while True:
        try:
            return child.wait(timeout=_SECONDS_BETWEEN_LOOKS)
        except subprocess.TimeoutExpired:
            calls = {(each, each.stat().st_mtime_ns) for each in folder.glob("calls/*/call.json")}
            began = time.monotonic()
            if calls == seen or began < due or is_in_a_call(folder):
                continue
            seen = calls
            with suppress(Exception):  # the last one is written anyway, and says what is wrong
                write()
            due = time.monotonic() + _SECONDS_OF_REST * (time.monotonic() - began)


def _refuse_tensors(steps: Sequence[int] | None, *, private: bool) -> None:
    if steps is None:
        return
    if private:
        raise InvalidArgument(
            "a private recording cannot keep tensors: prompts can be guessed from text embeddings",
            hint="leave out the tensors, or record without private",
        )
    if wrong := [step for step in steps if step < 1]:
        raise InvalidArgument(f"there is no step {wrong[0]}: steps are counted from 1", hint="noise is kept anyway")


def watched_environment(
    injected: Path, folder: Path, options: Mapping[str, Any], *, isolated: bool = False
) -> dict[str, str]:
    """Return the environment in which a script is watched.

    Args:
        injected: The folder that `inject` has filled.
        folder: What the process leaves goes here.
        options: Those of `spacediff.watch.recorder`.
        isolated: Whether only the packages of its own environment can be imported.
    """
    found = {**os.environ, FOLDER: str(folder), OPTIONS: json.dumps(options)}
    before = None if isolated else os.environ.get("PYTHONPATH")
    if isolated:
        found["PYTHONNOUSERSITE"] = "1"
    if before is not None:
        found[PYTHONPATH_BEFORE] = before
    found["PYTHONPATH"] = os.pathsep.join([str(injected), *([before] if before else [])])
    return found


def inject(folder: Path) -> None:
    """Fill a folder with the code that runs in the process of a script."""
    package = folder / _PACKAGE
    for part in (spacediff.observer, spacediff.watch):
        source = Path(str(part.__file__)).parent
        shutil.copytree(source, package / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").write_text("", encoding="utf-8")
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")


def _found(python: Path | None) -> str:
    """Return the interpreter with its folder, since a notebook runs in a folder of its own; links stay links."""
    named = str(python or sys.executable)
    return str(Path(shutil.which(named) or named).absolute())


def check_interpreter(interpreter: str) -> None:
    """Check that an interpreter starts and is new enough.

    Raises:
        InvalidArgument: It is not.
    """
    said = answer_of(interpreter, "-c", "import sys; print(*sys.version_info[:2])")
    try:
        version = tuple(int(each) for each in said.split()[-2:])
    except ValueError as error:
        raise no_python(interpreter) from error
    if version < _OLDEST:
        raise InvalidArgument(f"{interpreter} is Python {'.'.join(map(str, version))}; recording needs 3.10 or newer")


def _exit_code(code: int) -> int:
    """Return the exit code as a shell has it: 128 and the number of the signal that ended a process."""
    return code if code >= 0 else 128 - code
