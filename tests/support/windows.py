"""What Windows does with files, on the system of the tests: it refuses what POSIX allows."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest


class WindowsFiles:
    """A stand-in for the file system of Windows, for `os.replace` and `os.unlink` of this process.

    It refuses to replace a folder, to replace or remove a read-only file, and to move, replace or remove what is held.

    Args:
        patch: Installs it.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._held: dict[Path, int] = {}
        self._replace, self._unlink = os.replace, os.unlink
        patch.setattr(os, "replace", self._replacing)
        patch.setattr(os, "unlink", self._unlinking)

    def hold(self, path: Path, attempts: int) -> None:
        """Hold a file or folder, as a scanner does, until it was touched so many times in vain."""
        self._held[path] = attempts

    def _replacing(self, source: Any, target: Any, **options: Any) -> None:
        for path in (Path(source), Path(target)):
            self._refuse_if_held(path)
        if Path(target).is_dir() or (Path(target).exists() and _read_only(Path(target))):
            raise PermissionError(errno.EACCES, "Access is denied", str(target))
        self._replace(source, target, **options)

    def _unlinking(self, path: Any, *, dir_fd: int | None = None) -> None:
        found = Path(f"/proc/self/fd/{dir_fd}").readlink() / path if dir_fd is not None else Path(path)
        self._refuse_if_held(found)
        if found.exists() and _read_only(found):
            raise PermissionError(errno.EACCES, "Access is denied", str(found))
        self._unlink(path, dir_fd=dir_fd)

    def _refuse_if_held(self, path: Path) -> None:
        if left := self._held.get(path, 0):
            self._held[path] = left - 1
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))


def _read_only(path: Path) -> bool:
    return not path.stat().st_mode & stat.S_IWRITE
