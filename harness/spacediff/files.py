"""Write and hash files, and find the cache folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spacediff.errors import FileExists, FileNotAccessible, raise_if_disk_full


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees either the old or the new content; a text is encoded in UTF-8.

    Raises:
        FileNotAccessible: The file cannot be written.
        DiskFull: There is no space left for it.
    """
    with _writing(path):
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content.encode("utf-8") if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).chmod(0o644)
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Create a folder and those around it; one that exists is kept.

    Raises:
        FileNotAccessible: The folder cannot be created.
    """
    with _writing(path):
        path.mkdir(parents=True, exist_ok=True)


def write_new(path: Path, text: str) -> None:
    """Write a text to a new file, with its line ends unchanged; an existing file with the same text is kept.

    Raises:
        FileExists: A file with other content exists already.
        FileNotAccessible: The file cannot be written.
    """
    content = text.encode("utf-8")
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        if not path.is_file() or path.read_bytes() != content:
            raise FileExists(f"{path} already exists", hint="name another file") from error
    except OSError as error:
        raise FileNotAccessible(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn an error of the system into one that names the path, and not that of a draft."""
    try:
        yield
    except OSError as error:
        raise_if_disk_full(error)
        raise FileNotAccessible(f"{path} cannot be written: {error.strerror or error}") from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_dir() -> Path:
    """Return spacediff's cache folder, which need not exist yet.

    `$SPACEDIFF_CACHE`, else the system's cache folder: on Linux `$XDG_CACHE_HOME/spacediff` or `~/.cache/spacediff`,
    on macOS `~/Library/Caches/spacediff`, on Windows `spacediff/Cache` in the local application data. A relative
    `$SPACEDIFF_CACHE` starts at the working directory.
    """
    from platformdirs import user_cache_path

    chosen = os.environ.get("SPACEDIFF_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else user_cache_path("spacediff", appauthor=False)
