"""What a scenario or a comparison names and only opening it shows: found before anything is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spacediff.errors import InvalidArgument, Mistake, RecordingNotReadable, ScenarioError
from spacediff.recordings.archive import is_recording, read_recording
from spacediff.recordings.calls import chosen
from spacediff.recordings.script import check_interpreter
from spacediff.scenario.locations import Parts, Places
from spacediff.scenario.messages import mistake_at, shown
from spacediff.scenario.paths import without_call
from spacediff.scenario.scenario import Scenario
from spacediff.scenario.tables.reference import RecordingReference


def ensure_call(file: Path) -> bool:
    """Check that a recording can be read and has the call that is named, and return whether a file is a recording.

    Args:
        file: A recording, `FILE.zip` or `FILE.zip#N`, or any other file.

    Raises:
        RecordingNotReadable: The recording is broken, has no such call, or has several and none is named.
    """
    whole, number = without_call(file)
    named, _, text = whole.name.rpartition("#")
    if named and not whole.exists() and is_recording(of := whole.with_name(named)) and of.is_file():
        calls = ", ".join(str(call.number) for call in read_recording(of).calls)
        raise RecordingNotReadable(
            f"{whole.name}: {text!r} is no number of a call", hint=f"{named} has the calls {calls}"
        )
    if not is_recording(whole):
        return False
    chosen(read_recording(whole), number, whole.name)
    return True


def ensure_usable(scenario: Scenario) -> None:
    """Check the interpreter of a scenario's script and the recordings of its reference, as far as they are there.

    Raises:
        ScenarioError: The interpreter does not start, or is too old; a recording cannot be read, or has no such call,
            or one without frames.
    """
    lines, recorded = scenario.lines, scenario.reference.recording or RecordingReference()
    found = [*_unusable_interpreter(scenario.baseline.python, lines)]
    for where, file in _files_of(recorded):
        if without_call(file)[0].is_file():  # a missing one is said with the missing files of other kinds
            found += _unusable_recording(where, file, recorded.call, lines)
    if found:
        raise ScenarioError(scenario.path, found)


def _unusable_interpreter(python: Path | None, lines: Places) -> Iterator[Mistake]:
    if python is None:
        return
    try:
        check_interpreter(str(python))
    except InvalidArgument as error:
        found = f"{shown(python.name)} ({error.message})"
        yield mistake_at(lines, ("baseline", "python"), found, "an interpreter of Python 3.10 or newer")


def _unusable_recording(where: Parts, named: Path, usual: int | None, lines: Places) -> Iterator[Mistake]:
    file, number = without_call(named)
    try:
        recording = read_recording(file)
    except RecordingNotReadable as error:
        found = f"{shown(file.name)} ({error.message})"
        yield mistake_at(lines, where, found, "a recording that spacediff record has written")
        return
    try:
        call = chosen(recording, usual if number is None else number, file.name)
    except RecordingNotReadable as error:
        at = where if number is not None else ("reference", "recording", "call")
        found = "nothing" if number is None and usual is None and recording.calls else error.message
        yield mistake_at(lines, at, found, f"the number of a call of {file.name}; {error.hint}")
        return
    if call.without_clip:
        found = f"call {call.number} of {file.name}, which has no clip: {call.without_clip}"
        yield mistake_at(lines, where, found, "a call with frames")


def _files_of(reference: RecordingReference) -> Iterator[tuple[Parts, Path]]:
    named: dict[Parts, Path | tuple[Path, ...]] = {("files", name): each for name, each in reference.files.items()}
    named |= {("file",): reference.file} if reference.file is not None else {}
    for where, files in named.items():
        for index, file in enumerate(files if isinstance(files, tuple) else (files,)):
            of_list = (index,) if isinstance(files, tuple) else ()
            yield ("reference", "recording", *where, *of_list), file
