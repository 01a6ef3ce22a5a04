r"""Paths in a scenario: written on any system, and read on any other.

A path begins with `.`, `/`, `~` or a drive such as `C:/`; the id of a repository on the Hub does not. It becomes
absolute and gets forward slashes, which every system understands. `~` becomes the home folder here and nowhere else.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath, PureWindowsPath

PATH = r"(?:[./~\\]|[A-Za-z]:[/\\]).*"
"""Pattern of a text that is a path and not an id; also of JSON Schema."""
_DRIVE_OR_SHARE = re.compile(r"[A-Za-z]:[/\\]|\\\\")
_WITH_BACKSLASHES = re.compile(r"(\.{1,2}|~[^/]*)?\\")
"""How a path begins that was written on Windows; later, a backslash may be part of a name elsewhere."""


def is_path(text: str) -> bool:
    """Whether a text names a file or folder and not a repository on the Hub."""
    return re.match(PATH, text) is not None


def absolute_path(text: str, folder: PurePath) -> str:
    r"""Return a path of a scenario as an absolute one with forward slashes.

    One with a drive means the same everywhere, so that a system without drives reports that very path as missing.

    Args:
        text: The path, such as `models/x`, `~/x`, `C:/x`, `C:\x` or `.\x`.
        folder: The scenario's folder, absolute; a relative path starts there.
    """
    if _DRIVE_OR_SHARE.match(text):
        return PureWindowsPath(text).as_posix()
    slashed = text.replace("\\", "/") if _WITH_BACKSLASHES.match(text) else text
    if slashed.startswith("~"):
        slashed = _in_home(slashed)
    return (folder / slashed).as_posix()


def without_call(file: Path) -> tuple[Path, int | None]:
    """Return the file of `FILE.zip#N`, a call of a recording, and N; None for a file that is named as it is."""
    name, _, number = file.name.rpartition("#")
    return (file.with_name(name), int(number)) if name and number.isdecimal() and not file.exists() else (file, None)


def _in_home(path: str) -> str:
    try:
        return str(Path(path).expanduser())
    except RuntimeError:  # there is no such user
        return path
