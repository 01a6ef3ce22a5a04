"""Read settings from Python source without running it: the source is parsed and followed, never imported.

The key insight is that the settings of a demo are spread over names, functions and components, so that no search finds
them. An interpreter has to follow the source as Python would, with unknown values where only running it would show.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from spacediff.errors import SourceNotReadable
from spacediff.reading.commands import Command
from spacediff.reading.entry_points import follow
from spacediff.reading.expansions import plain
from spacediff.reading.extraction import extract, with_machines
from spacediff.reading.folders import main_script
from spacediff.reading.interpreter.library import Libraries, Library
from spacediff.reading.libraries import LIBRARIES
from spacediff.reading.machine_look_up import MachineLookUp, unknown_machine
from spacediff.reading.machines import possible_machines
from spacediff.reading.markdown import is_markdown
from spacediff.reading.model import Note, Reading
from spacediff.reading.notebooks import MOST_NOTEBOOK_BYTES
from spacediff.reading.parsing import MOST_BYTES, Files, UnreadableError, parse
from spacediff.reading.pasted import only_reading, pasted_file, wanted_scripts, with_gaps

_MOST_STEPS_REPEATED = 20_000
"""Steps of a source that is followed once for each possible machine; a larger one has alternatives without conditions.

The largest demos take a tenth of it."""

_MOST_STEPS_TWICE = 100_000
"""Steps of a source that is followed a second time for its machine; in a larger one, what depends on it is unknown."""

_READS_ARGUMENTS = re.compile(
    rb"argv|arg_?parse|getopt|click|typer|fire|tyro|absl|hydra|docopt|simple_parsing|draccus|plac|gin|parse_args|"
    rb"ArgumentParser|from_cli|\bcli\b|\bargs\b|cog|flags|config",
    re.IGNORECASE,
)
"""Names in sources that read their command line; where none occurs, arguments change nothing."""

_MAIN_FILES = ("app.py", "main.py", "run.py", "demo.py", "inference.py", "gradio_app.py", "generate.py", "predict.py")


def read_text(
    text: str | bytes, name: str, libraries: Sequence[Library] = LIBRARIES, look_up: MachineLookUp = unknown_machine
) -> Reading:
    """Read a source that is a single file.

    Args:
        text: The file.
        name: Its name.
        libraries: What is known of the libraries that it uses; the first recogniser that answers counts.
        look_up: Returns the machine on which the source runs; asked only if the source asks for it.
    """
    content = text.encode("utf-8", "replace") if isinstance(text, str) else text
    return read_fetched(content, name, lambda _: None, libraries=libraries, look_up=look_up)


def read_source(
    path: Path, like: str = "", look_up: MachineLookUp = unknown_machine, *, call: str = "", block: int = 0
) -> Reading:
    """Read a script, the code in a Markdown file, or the main file of a folder; other files of its folder are followed.

    Args:
        path: The script, a Markdown file, or a folder.
        like: The pipeline class whose call is read if the source calls several.
        look_up: Returns the machine on which the source runs; asked only if the source asks for it.
        call: Line, or file and line, of the call that is read; by default the main call.
        block: The number of a code block, from 1, whose script in a Markdown file is read; 0 for the only one.

    Raises:
        SourceNotReadable: There is no such script, or the folder has no main file.
        CallNotFound: No pipeline is called at that line.
        BlockNotChosen: The Markdown file has several scripts, or none in that block.
    """
    main = main_file(path)
    if is_markdown(main.name):
        return read_pasted(_head(main), main.name, like, look_up, call=call, block=block)
    return read_changed(main, _head(main), like, look_up, call=call)


def read_changed(
    main: Path, content: bytes, like: str = "", look_up: MachineLookUp = unknown_machine, *, call: str = ""
) -> Reading:
    """Read a script as if it had another content; other files of its folder are followed."""
    folder = main.parent.resolve()

    def fetch(name: str) -> bytes | None:
        other = (folder / name).resolve()
        return _head(other) if other.is_relative_to(folder) and other.is_file() else None

    return read_fetched(content, main.name, fetch, like, call=call, look_up=look_up)


def read_command(
    folder: Path, command: Command, like: str = "", look_up: MachineLookUp = unknown_machine, *, call: str = ""
) -> Reading:
    """Read a script as a command runs it: with the arguments and the environment that the command gives.

    Args:
        folder: Where the command is run; imports are found there and next to the script.
        command: The command.
        like: The pipeline class whose call is read if the script calls several.
        look_up: Returns the machine on which the script runs; asked only if the script asks for it.
        call: Line, or file and line, of the call that is read; by default the main call.

    Raises:
        SourceNotReadable: The folder has no such script.
        CallNotFound: No pipeline is called at that line.
    """
    root = folder.resolve()
    paths = [(root / file).resolve() for file in command.files]
    main = next((path for path in paths if path.is_relative_to(root) and path.is_file()), None)
    if main is None:
        raise SourceNotReadable(f"{folder} has no {command.files[0]}", hint="give the folder of the command")

    fetched = [_head(main)]

    def fetch(name: str) -> bytes | None:
        others = [(base / name).resolve() for base in (main.parent, root)]
        found = next((_head(one) for one in others if one.is_relative_to(root) and one.is_file()), None)
        fetched.append(found or b"")
        return found

    reading = read_fetched(fetched[0], main.name, fetch, like, call=call, look_up=look_up, command=command)
    if not command.arguments or any(map(_READS_ARGUMENTS.search, fetched)):
        return replace(reading, command=command.words)
    text = f"{main.name} reads no arguments, so these change nothing: {shlex.join(map(plain, command.arguments))}"
    note = Note("not read", text, command.where)
    return replace(reading, command="" if not command.environment else command.words, notes=[*reading.notes, note])


def read_pasted(
    content: bytes,
    name: str,
    like: str = "",
    look_up: MachineLookUp = unknown_machine,
    *,
    call: str = "",
    block: int = 0,
    libraries: Sequence[Library] = LIBRARIES,
) -> Reading:
    """Read the code blocks of a Markdown file; several scripts in it are separate.

    Args:
        content: The file.
        name: Its name.
        like: The pipeline class whose call is read if a script calls several.
        look_up: Returns the machine on which the code runs; asked only if the code asks for it.
        call: Line of the call that is read; by default the main call.
        block: The number of a code block, from 1, whose script is read; 0 for the only one that calls a pipeline.
        libraries: What is known of the libraries that the code uses.

    Raises:
        CallNotFound: No pipeline is called at that line.
        BlockNotChosen: Several scripts call a pipeline, or that block has no code.
    """
    try:
        file = pasted_file(content, name)
    except UnreadableError as error:
        return Reading(notes=[Note("not read", str(error), name)])
    scripts = wanted_scripts(file, block, call)
    known = Libraries(libraries)
    readings = [(script, _read(Files(script.source), known, like, call, look_up)) for script in scripts]
    return with_gaps(*only_reading(file, readings))


def read_fetched(
    text: bytes,
    name: str,
    fetch: Callable[[str], bytes | None],
    like: str = "",
    *,
    call: str = "",
    libraries: Sequence[Library] = LIBRARIES,
    look_up: MachineLookUp = unknown_machine,
    command: Command | None = None,
) -> Reading:
    """Read a source by its main file.

    A source that asks its machine for an accelerator is followed again: with the answer, or, if the machine is unknown,
    with each possible answer.

    Args:
        text: The file.
        name: Its name.
        fetch: Returns another file of its folder by its relative path; None if there is none.
        like: The pipeline class whose call is read if the source calls several.
        call: Line, or file and line, of the call that is read; by default the main call.
        libraries: What is known of the libraries that the source uses.
        look_up: Returns the machine on which the source runs; asked only if the source asks for it.
        command: The command that runs the file; None if it is unknown.

    Raises:
        CallNotFound: No pipeline is called at that line.
    """
    if is_markdown(name):
        return read_pasted(text, name, like, look_up, call=call, libraries=libraries)
    try:
        source = parse(text, name)
    except UnreadableError as error:
        return Reading(notes=[Note("not read", str(error), name)])
    return _read(Files(source, fetch, command=command), Libraries(libraries), like, call, look_up)


def _read(files: Files, known: Libraries, like: str, call: str, look_up: MachineLookUp) -> Reading:
    """Follow a source, for each possible machine if it asks for its machine and that is unknown."""
    state = follow(files, known)
    reading = extract(state, like, call)
    if not reading.asked_of_machine or state.budget.spent > _MOST_STEPS_TWICE:
        return reading
    machine = look_up(reading)
    if machine is not None:
        return extract(follow(files, known, machine), like, call)
    if state.budget.spent > _MOST_STEPS_REPEATED:
        return reading
    each = {
        one.device: extract(follow(files, known, one), like, call)
        for one in possible_machines(reading.asked_of_machine)
    }
    return with_machines(reading, each)


def _head(path: Path) -> bytes:
    """Return the first bytes of a file, one more than is parsed, so that a larger file is noticed."""
    with path.open("rb") as file:
        return file.read((MOST_NOTEBOOK_BYTES if path.suffix == ".ipynb" else MOST_BYTES) + 1)


def main_file(path: Path) -> Path:
    """Return the file to read: the script itself, or the main file of a folder.

    Raises:
        SourceNotReadable: There is no such script, or the folder has no main file.
    """
    main = _main_file(path) if path.is_dir() else path
    if not main.is_file():
        problem = "is not a file" if main.exists() else "does not exist"
        raise SourceNotReadable(
            f"{path} {problem}", hint="give a .py file, a notebook, a folder with an app.py, or ORG/NAME"
        )
    return main


def _main_file(folder: Path) -> Path:
    readme = folder / "README.md"
    if readme.is_file():
        card = re.search(rb"^app_file:\s*([\w./-]+\.py)\s*$", _head(readme)[:4000], re.MULTILINE)
        if card and (folder / card[1].decode()).resolve().is_relative_to(folder.resolve()):
            return folder / card[1].decode()
    for name in _MAIN_FILES:
        if (folder / name).is_file():
            return folder / name
    return main_script(folder, lambda script: bool(read_changed(script, _head(script)).called_at))
