"""An input: the argument of the pipeline that gets it, and its files with the SHA-256 of their content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacediff.errors import InputUnusable

_MEDIA = re.compile(r"\S.*\.(png|jpe?g|webp|avif|gif|bmp|tiff?|mp4|mov|mkv|webm|avi)", re.IGNORECASE | re.DOTALL)
MAX_BYTES = 4 * 2**30
"""A larger file is not read."""


def is_media(value: Any) -> bool:
    """Whether a value is nothing but the path or address of a picture or video, or a list of these."""
    texts = value if isinstance(value, list) else [value]
    return bool(texts) and all(isinstance(text, str) and _MEDIA.fullmatch(text) for text in texts)


@dataclass(frozen=True)
class InputFile:
    """A file of an input.

    Attributes:
        path: The absolute path.
        digest: SHA-256 of its content.
    """

    path: str
    digest: str


@dataclass(frozen=True)
class Input:
    """The files that one argument of a pipeline gets.

    Attributes:
        name: The argument of the pipeline's `__call__`, such as `image`.
        files: The files, in order.
        listed: Whether the scenario gives a list, so that the pipeline gets one too.
    """

    name: str
    files: tuple[InputFile, ...]
    listed: bool = False

    @property
    def identity(self) -> tuple[str, bool, tuple[str, ...]]:
        """What of an input determines a clip: its name and the content of its files, not where they are."""
        return self.name, self.listed, tuple(file.digest for file in self.files)


def identified(name: str, paths: Path | Sequence[Path]) -> Input:
    """Read the files of an input and return it with their digests.

    Raises:
        InputUnusable: A file cannot be read, or is too large.
    """
    listed = not isinstance(paths, Path)
    files = [paths] if isinstance(paths, Path) else paths
    return Input(name, tuple(InputFile(path.as_posix(), _digest(name, path)) for path in files), listed)


def _digest(name: str, path: Path) -> str:
    try:
        if not path.is_file():
            raise InputUnusable(f"the file of the input {name!r} is {'not a file' if path.exists() else 'missing'}")
        if path.stat().st_size > MAX_BYTES:
            raise InputUnusable(f"the file of the input {name!r} is larger than {MAX_BYTES // 2**30} GiB")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputUnusable(f"the file of the input {name!r} cannot be read: {error.strerror}") from error


def ensure_unchanged(given: Input) -> None:
    """Check that the files are those that were planned with.

    Raises:
        InputUnusable: A file has changed, or is no longer there.
    """
    for file in given.files:
        if _digest(given.name, Path(file.path)) != file.digest:
            raise InputUnusable(
                f"the file of the input {given.name!r} has changed since the audit was planned",
                hint="run the same command again",
            )
