"""The Space that a script is compared with: what is read of it, and what its clip comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.errors import InvalidArgument
from spacediff.settings import Origin, Setting, Settings
from spacediff.sources.hosted import TINY_SPACES
from spacediff.tiny import space_app
from spacediff.why.beforehand import hosted_id

if TYPE_CHECKING:
    from spacediff.reading.model import Reading

_MODEL = "model.id"


@dataclass(frozen=True)
class SpaceSide:
    """A Space, as it was named.

    Attributes:
        source: What is read of it: `ORG/NAME`, a folder or a file.
        hosted: The Space that is asked for its clip, `ORG/NAME` or a built-in one; empty where only source code was
            named, so that its settings are run on this machine.
        checkpoint: The checkpoint that a built-in Space serves; empty for others, whose source says it.
    """

    source: str
    hosted: str = ""
    checkpoint: str = ""

    def known(self, reading: Reading) -> Reading:
        """Return what was read of the Space, with what is known of it besides."""
        if not self.checkpoint:
            return reading
        where = reading.settings[_MODEL].where if _MODEL in reading.settings else reading.called_at
        served = Settings({_MODEL: Setting(self.checkpoint, Origin.READ, where)})
        unknowns = {path: words for path, words in reading.unknowns.items() if path != _MODEL}
        return replace(reading, settings=reading.settings.changed_by(served), unknowns=unknowns)


def space_side(name: str) -> SpaceSide:
    """Return a Space by its name: `ORG/NAME`, its address, a built-in Space, or a folder or file with its source.

    Raises:
        InvalidArgument: There is no built-in Space of this name.
    """
    if name in TINY_SPACES:
        return SpaceSide(str(Path(space_app.__file__)), name, TINY_SPACES[name])
    if name.startswith("builtin:"):
        raise InvalidArgument(f"{name} is no built-in Space", hint=f"there are {', '.join(sorted(TINY_SPACES))}")
    return SpaceSide(name, hosted_id(name))
