"""Read any source by its name: a file or folder of this machine, or a Space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spacediff.errors import BlockNotChosen, SourceNotReadable, SpacediffError
from spacediff.hub.ids import is_repository_id, space_of
from spacediff.hub.requirements import FILE, FILE_BEFORE, required_versions
from spacediff.hub.requirements import MOST_BYTES as MOST_REQUIRED
from spacediff.reading.commands import Command, arguments_of, commands_in
from spacediff.reading.hub import read_space
from spacediff.reading.machine_look_up import MachineLookUp, unknown_machine
from spacediff.reading.markdown import is_markdown
from spacediff.reading.model import Reading
from spacediff.reading.parsing import MOST_BYTES, UnreadableError, hint_for
from spacediff.reading.pasted import only_command, pasted_file
from spacediff.reading.reader import main_file, read_command, read_source
from spacediff.reading.signatures import refusals


def read_any(
    source: str,
    like: str = "",
    look_up: MachineLookUp = unknown_machine,
    *,
    call: str = "",
    block: int = 0,
    folder: str = "",
    arguments: str | None = None,
) -> Reading:
    """Read a script, a folder or a Space; a local path comes before a Space of the same name.

    Args:
        source: A file, a Markdown file, a folder, ORG/NAME, or the address of a Space's page.
        like: The pipeline class whose call is read if the source calls several.
        look_up: Returns the machine on which a local source runs; that of a Space is its hardware.
        call: Line, or file and line, of the call that is read; by default the main call.
        block: The number of a code block, from 1, whose script in a Markdown file is read; 0 for the only one.
        folder: Where the command is run that `source` is, or that stands in this Markdown file; empty for a script.
        arguments: The arguments of the script, as a shell takes them; None if they are unknown.

    Raises:
        SpacediffError: There is no such source, or no call of a pipeline was found in it.
    """
    if not source.strip():
        raise SourceNotReadable("no source is named", hint="give a .py file, a folder with an app.py, or ORG/NAME")
    source = space_of(source)
    path = Path(source)
    _ensure_sensible(source, path, block, folder)
    if arguments is not None and not folder:
        path = _script_of(path)
    if folder or arguments is not None:
        command = _command(source if folder else str(path), folder, block, arguments)
        reading = read_command(Path(folder) if folder else path.parent, command, like, look_up, call=call)
    elif not path.exists() and is_repository_id(source) and not source.endswith((".py", ".md")):
        reading = read_space(source, like, call)
    else:
        reading = read_source(path, like, look_up, call=call, block=block)
        reading = replace(reading, facts={**_required_here(path), **reading.facts})
    if not reading.called_at:
        raise _nothing_read(source, reading)
    return replace(reading, notes=[*reading.notes, *refusals(reading)])


def _required_here(folder: Path) -> dict[str, str]:
    """Return the versions of libraries that the files of requirements in a folder ask for; none without one.

    Args:
        folder: The folder of an app; anything else has none.
    """
    return required_versions("\n".join(_small_text(folder / name) for name in (FILE, FILE_BEFORE)))


def _small_text(path: Path) -> str:
    """Return the text of a small file; empty where there is none."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            content = file.read(MOST_REQUIRED + 1)
    except (OSError, ValueError):
        return ""
    return content.decode("utf-8", "replace") if len(content) <= MOST_REQUIRED else ""


def _ensure_sensible(source: str, path: Path, block: int, folder: str) -> None:
    """Refuse an address that is not that of a Space, a folder that does not exist, and a block of what has none.

    Raises:
        SourceNotReadable: It is such an address, or such a folder.
        BlockNotChosen: A block is named, and the source is not a Markdown file.
    """
    if "://" in source and not path.exists() and not folder:
        raise SourceNotReadable(
            f"{source} is not the address of a Space", hint="give ORG/NAME of a Space, or download the file and name it"
        )
    if folder and not Path(folder).is_dir():
        problem = f"{folder} is not a folder" if Path(folder).exists() else f"the folder {folder} does not exist"
        raise SourceNotReadable(problem, hint="give the folder in which the command is run")
    if block and not is_markdown(source):
        raise BlockNotChosen(f"{source} has no blocks: only a Markdown file has", hint="leave the block out")


def _script_of(path: Path) -> Path:
    """Return the script that arguments are given to: a .py file, or the main file of a folder.

    Raises:
        SourceNotReadable: It does not exist, or is not Python.
    """
    main = main_file(path)
    if main.suffix != ".py":
        raise SourceNotReadable(f"{path} is not a .py file, so it takes no arguments", hint="leave the arguments out")
    return main


def _command(source: str, folder: str, block: int, arguments: str | None) -> Command:
    """Return the command that is read.

    Raises:
        BlockNotChosen: A Markdown file has several commands, or none that runs a script of the folder.
        SourceNotReadable: The command or the arguments are not those of a Python script.
    """
    path = Path(source)
    if arguments is not None:
        try:
            return Command(path.name if not folder else source, arguments_of(arguments), where="the arguments")
        except ValueError as error:
            raise SourceNotReadable(f"the arguments cannot be split into words: {error}") from None
    if is_markdown(source) and path.is_file():
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        try:
            return only_command(pasted_file(content, path.name), block, Path(folder))
        except UnreadableError as error:
            raise SourceNotReadable(str(error)) from None
    commands = commands_in(source, lambda _: "the command")
    if len(commands) != 1:
        raise SourceNotReadable(
            f"{source!r} is not one command that runs a Python script",
            hint="a folder goes with a command such as 'python run.py -s 30', or with a Markdown file",
        )
    return commands[0]


def _nothing_read(source: str, reading: Reading) -> SpacediffError:
    """Return the error for a source in which no call was found, with the reasons."""
    failures = [note for note in reading.notes if note.kind.startswith("not read")]
    reasons = "; ".join(note.text for note in failures) or "no call of a diffusers pipeline was found"
    name = Path(source).name
    where = source.removesuffix(name) if name and reasons.startswith(name) else f"{source}: "
    hint = "name the file that calls the pipeline" if Path(source).exists() else "clone it and name that file"
    if Path(source).exists():  # that of a Space can only be cloned
        hint = next(filter(None, (hint_for(note.text) for note in failures)), hint)
    return SourceNotReadable(f"{where}{reasons}", hint=hint)
