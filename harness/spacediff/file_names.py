"""Names of files and folders that every system has, and files that a record names, which stay inside its folder.

An audit folder travels between systems, so its names are those that Windows allows, and its record has forward slashes.
https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from pathlib import Path, PurePosixPath

_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\..*)?")
_NOT_ALLOWED = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]$')


def is_device(name: str) -> bool:
    """Whether Windows has a device of this name, so that no file or folder there can have it."""
    return _DEVICE.fullmatch(name) is not None


def portable_name(name: str) -> str:
    """Return a name that a file or folder can have on every system; most names stay as they are."""
    allowed = _NOT_ALLOWED.sub("_", short_name(name))
    return f"_{allowed}" if is_device(allowed) else allowed


LONGEST_NAME = 200
"""Bytes of a name in UTF-8; file systems allow 255, and a draft or a lock beside it has a longer one."""


def short_name(name: str, ending: str = "") -> str:
    """Return a name with an ending that fits every file system; a long one is cut, with a hash of the whole."""
    if len(f"{name}{ending}".encode()) <= LONGEST_NAME:
        return f"{name}{ending}"
    mark = f"-{hashlib.sha256(name.encode()).hexdigest()[:8]}{ending}"
    return name.encode()[: LONGEST_NAME - len(mark.encode())].decode(errors="ignore") + mark


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


def read_within(folder: Path, name: str, most: int) -> bytes | None:
    """Read a file that a record names, whoever made its folder.

    No link is followed out of the folder, since what it leads to could be embedded in a page that is passed on; a
    device or a pipe is not opened for reading, since it may never end.

    Args:
        folder: The audit folder.
        name: The file, relative to the folder, with forward slashes.
        most: Bytes from which on a file is not read.

    Returns:
        The content; None where there is no such file inside the folder, or where it is larger.
    """
    try:
        path = file_within(folder, name)
        content = read_regular(path, most) if path else None
    except OSError:
        return None
    return content if content is not None and len(content) <= most else None


def file_within(folder: Path, name: str) -> Path | None:
    """Return the path of a file that a record names, as `path_within`; None too where a link leads out of the folder.

    Raises:
        OSError: A link leads to itself.
    """
    path = path_within(folder, name)
    return path if path and path.resolve().is_relative_to(folder.resolve()) else None


def read_regular(path: Path, most: int) -> bytes:
    """Read up to `most` bytes of a file and one more, so that a larger one is noticed.

    Raises:
        OSError: It cannot be read, or it is a folder, a device or a pipe.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | _AT_ONCE), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.read(most + 1)


_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""A pipe without a writer is opened at once, and not waited for."""
