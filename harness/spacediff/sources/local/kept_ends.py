"""The ends of denoisings in a folder: the last ones, for runs that share them, and those that were never decoded."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from spacediff.sources.local.denoised import Denoised, read_denoised, write_denoised
from spacediff.sources.local.tensor_files import DRAFTS, keep_newest

_MOST = 4
"""Runs that share a denoising are executed in a row, so few are needed."""
_MOST_BYTES = 2**30
"""Of all kept ends; the newest stays whatever its size. With latents, CogVideoX-5b's takes 115 MB."""
_SUFFIX = ".safetensors"
_UNDECODED = f".undecoded{_SUFFIX}"


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
        keep_newest(self._shared(), _MOST, _MOST_BYTES)

    def decoded(self, identity: str) -> None:
        """Note that an end has been decoded, so that it stays only while other runs may share it."""
        with suppress(OSError):
            self._path(identity, _UNDECODED).replace(self._path(identity, _SUFFIX))

    def clear(self) -> None:
        """Remove all ends but the undecoded ones, and what a killed process has not finished writing."""
        for path in (*self._shared(), *self._folder.glob(DRAFTS)):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self._folder.rmdir()  # if it is empty

    def _shared(self) -> list[Path]:
        return [path for path in self._folder.glob(f"*{_SUFFIX}") if not path.name.endswith(_UNDECODED)]

    def _path(self, identity: str, suffix: str) -> Path:
        return self._folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}{suffix}"
