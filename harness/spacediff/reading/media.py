"""Read the settings that a program wrote into the picture or video that it made."""

from __future__ import annotations

from pathlib import Path

from spacediff.embedded import declared_in
from spacediff.errors import SourceNotReadable
from spacediff.reading.model import Reading


def read_media(path: Path) -> Reading:
    """Return the settings that a file declares; it makes no call, so nothing else is known.

    Args:
        path: A picture or video.

    Raises:
        SourceNotReadable: It declares none.
    """
    declared = declared_in(path)
    if declared.problem:
        raise SourceNotReadable(declared.problem)
    if not declared.settings:
        raise SourceNotReadable(
            f"{path} declares no settings",
            hint="programs write them into the file that they save; editing or sending it usually removes them",
        )
    return Reading(settings=declared.settings, facts={"written in the format of": declared.program})
