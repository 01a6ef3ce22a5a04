"""What can be known before anything is generated: the settings of a source, and the machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.api.given import StrPath

if TYPE_CHECKING:
    from spacediff.doctor import Check
    from spacediff.reading.model import Reading


def read_source(
    source: StrPath,
    *,
    like: str = "",
    call: str | int = "",
    block: int = 0,
    folder: StrPath = "",
    arguments: str | None = None,
) -> Reading:
    """List the settings that a script, notebook, folder or Space declares. The source is parsed, never executed.

    Args:
        source: A file, a Markdown file with code blocks, a folder, `ORG/NAME` of a Space, or a picture or video in
            which a program wrote its settings.
        like: The pipeline class whose call is read, if the source calls several.
        call: Line, or `FILE:LINE`, of the call that is read; by default the main call.
        block: The number of a code block of a Markdown file, from 1, whose script is read; 0 for the only one that
            calls a pipeline.
        folder: Where the command is run that `source` is, or that stands in a Markdown file.
        arguments: The arguments of the script, as a shell takes them: `--steps 30 --prompt "a lemon"`.

    Raises:
        SourceNotReadable: There is no such source, no pipeline call in it, or no settings in a picture or video.
        CallNotFound: No pipeline is called at that line.
        BlockNotChosen: Several scripts of a Markdown file call a pipeline, or that block has no code.
        SpaceUnavailable: The Hub does not give the Space's source; the class says why.
    """
    from spacediff.embedded import is_media_file
    from spacediff.reading.media import read_media
    from spacediff.reading.sources import read_any

    if is_media_file(Path(source)):
        return read_media(Path(source))
    return read_any(str(source), like, call=str(call), block=block, folder=str(folder), arguments=arguments)


def check_machine() -> list[Check]:
    """List what this machine can run: libraries, accelerator, memory, metrics, the Hub."""
    from spacediff.doctor import examine

    return examine()
