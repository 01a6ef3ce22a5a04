"""Read any source by its name: a file or folder of this machine, or a Space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spacediff.errors import SourceNotReadable, SpacediffError
from spacediff.hub.ids import is_repository_id
from spacediff.reading import read_source
from spacediff.reading.hub import read_space
from spacediff.reading.machine_look_up import MachineLookUp, unknown_machine
from spacediff.reading.model import Reading
from spacediff.reading.signatures import refusals


def read_any(
    source: str, like: str = "", look_up: MachineLookUp = unknown_machine, *, call: str = "", block: int = 0
) -> Reading:
    """Read a script, a folder or a Space; a local path comes before a Space of the same name.

    Args:
        source: A file, a Markdown file, a folder, or ORG/NAME.
        like: The pipeline class whose call is read if the source calls several.
        look_up: Returns the machine on which a local source runs; that of a Space is its hardware.
        call: Line, or file and line, of the call that is read; by default the main call.
        block: The number of a code block, from 1, whose script in a Markdown file is read; 0 for the only one.

    Raises:
        SpacediffError: There is no such source, or no call of a pipeline was found in it.
    """
    if not source.strip():
        raise SourceNotReadable("no source is named", hint="give a .py file, a folder with an app.py, or ORG/NAME")
    path = Path(source)
    if not path.exists() and is_repository_id(source) and not source.endswith((".py", ".md")):
        reading = read_space(source, like, call)
    else:
        reading = read_source(path, like, look_up, call=call, block=block)
    if not reading.called_at:
        raise _nothing_read(source, reading)
    return replace(reading, notes=[*reading.notes, *refusals(reading)])


def _nothing_read(source: str, reading: Reading) -> SpacediffError:
    """Return the error for a source in which no call was found, with the reasons."""
    failures = [note for note in reading.notes if note.kind.startswith("not read")]
    reasons = [note.text for note in failures] or ["no call of a diffusers pipeline was found"]
    hint = "name the file that calls the pipeline" if Path(source).exists() else "clone it and name that file"
    return SourceNotReadable(f"{source}: {'; '.join(reasons)}", hint=hint)
