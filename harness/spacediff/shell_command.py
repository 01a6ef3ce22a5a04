"""The shell command that repeats an audit, for its record; the command line and the library give the same one.

Paths are relative to the working folder. A path outside of it is reduced to its name, because the rest may contain the
user's name.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path


def shell_command(*words: str | Path) -> str:
    """Join words into a command, with shortened paths."""
    return shlex.join(["spacediff", *(_shown(word) if isinstance(word, Path) else word for word in words)])


def repeated(option: str, values: Iterable[str | Path]) -> list[str | Path]:
    """List an option once for each of its values."""
    return [word for value in values for word in (option, value)]


def out_option(folder: Path | None) -> list[str | Path]:
    """List the option for an audit folder; nothing for a folder outside the working folder."""
    return ["--out", folder] if folder and folder.resolve().is_relative_to(Path.cwd()) else []


def _shown(path: Path) -> str:
    here = Path.cwd()
    if path.resolve().is_relative_to(here):
        return path.resolve().relative_to(here).as_posix()
    return path.as_posix() if not path.is_absolute() else f".../{path.name}"
