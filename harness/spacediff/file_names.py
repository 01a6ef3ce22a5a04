"""Names of files and folders that every system has, and paths of a record that stay inside its folder.

An audit folder travels between systems, so its names are those that Windows allows, and its record has forward slashes.
https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\..*)?")
_NOT_ALLOWED = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]$')


def is_device(name: str) -> bool:
    """Whether Windows has a device of this name, so that no file or folder there can have it."""
    return _DEVICE.fullmatch(name) is not None


def portable_name(name: str) -> str:
    """Return a name that a file or folder can have on every system; most names stay as they are."""
    allowed = _NOT_ALLOWED.sub("_", name)
    return f"_{allowed}" if is_device(allowed) else allowed


def path_within(folder: Path, name: str) -> Path | None:
    """Return the path of a file that a record names; None if it could lie outside of the folder, on any system.

    Args:
        folder: The audit folder.
        name: The file, relative to the folder, with forward slashes. A record may come from anybody.
    """
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts or re.search(r"[\\:\0]", name):
        return None
    return folder / inside
