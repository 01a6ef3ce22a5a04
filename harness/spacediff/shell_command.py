"""The shell command that repeats an audit, as its record keeps it: by command line or by library, it is the same.

Paths are written as seen from the working folder. Of a path outside of it only the name is shown, because the rest may
name the user.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path


def shell_command(*words: str | Path) -> str:
    """Join words into a command, with paths as they may be shown."""
    return shlex.join(["spacediff", *(_shown(word) if isinstance(word, Path) else word for word in words)])


def repeated(option: str, values: Iterable[str | Path]) -> list[str | Path]:
    """List an option once for each of its values."""
    return [word for value in values for word in (option, value)]


def out_option(folder: Path | None) -> list[str | Path]:
    """List the option for an audit folder; nothing for one outside the working folder, which nobody else has."""
    return ["--out", folder] if folder and folder.resolve().is_relative_to(Path.cwd()) else []


def _shown(path: Path) -> str:
    here = Path.cwd()
    if path.resolve().is_relative_to(here):
        return str(path.resolve().relative_to(here))
    return str(path) if not path.is_absolute() else f".../{path.name}"
