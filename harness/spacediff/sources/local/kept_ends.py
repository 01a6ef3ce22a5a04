"""The ends of denoisings in a folder: the last ones, for runs that share them, and those that were never decoded."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from pathlib import Path

from spacediff.files import write_atomically
from spacediff.fitting.disk import MOST_BYTES_OF_ENDS, MOST_ENDS
from spacediff.sources.local.denoised import Denoised, read_denoised, write_denoised
from spacediff.sources.local.tensor_files import DRAFTS, keep_newest

_SUFFIX = ".safetensors"
_UNDECODED = f".undecoded{_SUFFIX}"


_TARGET = ".target"
"""A file of this name names the end of the run that others are compared with while they run."""
_END = re.compile(rf"[0-9a-f]{{32}}{re.escape(_SUFFIX)}")


class KeptEnds:
    """Ends of denoisings, one file for each.

    Args:
        folder: The folder of the files; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, identity: str) -> Denoised | None:
        """Return the end with this identity; None if there is none, or if its file is damaged."""
        for path in (self._path(identity, _SUFFIX), self._path(identity, _UNDECODED)):
            with suppress(OSError, ValueError):
                return read_denoised(path)
        return None

    def put(self, identity: str, end: Denoised, *, decoded: bool) -> None:
        """Keep an end; an undecoded one stays until its run has been decoded.

        Raises:
            OSError: The file cannot be written.
            TypeError: A result of the library cannot be kept.
        """
        write_denoised(end, self._path(identity, _SUFFIX if decoded else _UNDECODED))
        keep_newest(self._shared(), MOST_ENDS, MOST_BYTES_OF_ENDS)

    def decoded(self, identity: str) -> None:
        """Note that an end has been decoded, so that it stays only while other runs may share it."""
        with suppress(OSError):
            self._path(identity, _UNDECODED).replace(self._path(identity, _SUFFIX))

    def keep_target(self, identity: str, run: str) -> None:
        """Let the end of a run stay as long as the folder does; at most one stays so.

        Raises:
            FileNotAccessible: It cannot be noted.
        """
        end = self._path(identity, _SUFFIX)
        if not end.exists():
            return
        for path in self._folder.glob(f"*{_TARGET}"):
            path.unlink(missing_ok=True)
        write_atomically(self._folder / name_of_target(run), end.name)

    def target(self, run: str) -> Path | None:
        """Return the file with the end of such a run; None where there is none."""
        name = _named(self._folder / name_of_target(run))
        path = self._folder / name
        return path if name and path.is_file() else None

    def clear(self) -> None:
        """Remove all ends but the undecoded ones and the target's, and what a killed process has not finished."""
        for path in (*self._shared(), *self._folder.glob(DRAFTS)):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self._folder.rmdir()  # if it is empty

    def _shared(self) -> list[Path]:
        targets = {_named(path) for path in self._folder.glob(f"*{_TARGET}")}
        ends = self._folder.glob(f"*{_SUFFIX}")
        return [path for path in ends if not path.name.endswith(_UNDECODED) and path.name not in targets]

    def _path(self, identity: str, suffix: str) -> Path:
        return self._folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}{suffix}"


def name_of_target(run: str) -> str:
    """Return the name of the file that names the end of a run that others are compared with."""
    return f"{run}{_TARGET}"


def _named(path: Path) -> str:
    """Return the name of an end that a file names; empty where it names none."""
    try:
        name = path.read_text("utf-8")
    except (OSError, ValueError):
        return ""
    return name if _END.fullmatch(name) else ""
