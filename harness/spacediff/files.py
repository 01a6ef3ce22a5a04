"""Write, move, remove and hash files, and find the cache folder.

Windows refuses to move or replace what another program has open, such as a virus scanner that looks at a new file, and
to remove what is read-only. Everything that moves or removes files does it through here.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spacediff.errors import FileExists, FileNotAccessible, raise_if_disk_full


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees either the old or the new content; a text is encoded in UTF-8.

    Raises:
        FileNotAccessible: The file cannot be written, or is a device or a pipe, which would be replaced.
        DiskFull: There is no space left for it.
    """
    _refuse_device(path)
    with _writing(path):
        descriptor, draft = tempfile.mkstemp(prefix=_DRAFT, dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content.encode("utf-8") if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).chmod(0o644)
            move(Path(draft), path)
        finally:
            Path(draft).unlink(missing_ok=True)


def _refuse_device(path: Path) -> None:
    """Refuse to put a file where there is a device, a pipe, or a link among the devices, such as `/dev/stdout`."""
    is_link_to_one = path.is_symlink() and Path("/dev") in path.absolute().parents
    if is_link_to_one or (path.exists() and not path.is_file() and not path.is_dir()):
        raise FileNotAccessible(f"{path} cannot be written: it is not a regular file", hint="name another file")


_DRAFT = ".spacediff-draft-"
"""Begins the names of drafts, in place of their file's, which may be as long as the system allows."""


def move(source: Path, target: Path) -> None:
    """Move a file over `target`, or a folder to where no folder is; while another program has it open, wait for it.

    Waits up to `MOVE_PATIENCE` seconds: on Windows a scanner holds new files for a moment, and a reader of the old file
    keeps it from being replaced. Elsewhere the system refuses nothing of this kind.

    Raises:
        FileExistsError: `target` is a folder that exists.
        OSError: It cannot be moved.
    """
    waits = _waits()
    while True:
        if source.is_dir() and target.exists():  # POSIX would replace an empty folder, Windows replaces none
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        try:
            source.replace(target)
        except PermissionError:
            wait = next(waits, None)
            if wait is None:
                raise
            time.sleep(wait)
        else:
            return


MOVE_PATIENCE = 10.0
"""Seconds in all that a move waits for other programs."""


def _waits() -> Iterator[float]:
    """Yield pauses in seconds that double up to one second, `MOVE_PATIENCE` in all."""
    wait, left = 0.01, MOVE_PATIENCE
    while left > 0:
        yield min(wait, left)
        left -= wait
        wait = min(2 * wait, 1.0)


def remove_folder(path: Path) -> None:
    """Remove a folder with everything in it, read-only files too; what another program holds stays.

    Of a link, only the link is removed, here and inside of it.
    """
    if path.is_symlink():
        path.unlink(missing_ok=True)
        return
    shutil.rmtree(path, ignore_errors=True)
    if path.is_dir():
        for each in (path, *path.rglob("*")):
            if not each.is_symlink():
                with contextlib.suppress(OSError):
                    each.chmod(each.stat().st_mode | stat.S_IWRITE)
        shutil.rmtree(path, ignore_errors=True)


def remove_file(path: Path) -> None:
    """Remove a file if it is there, a read-only one too.

    Raises:
        FileNotAccessible: The file cannot be removed.
    """
    with _writing(path, "removed"):
        try:
            path.unlink(missing_ok=True)
        except PermissionError:
            path.chmod(stat.S_IWRITE | stat.S_IREAD)
            path.unlink(missing_ok=True)


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
        raise FileNotAccessible(f"{path} cannot be written: {_why(error, path)}") from error


def ensure_new(path: Path) -> None:
    """Refuse a path at which no new file can be written, before there is something to write.

    Raises:
        FileExists: It exists.
        FileNotAccessible: It is a folder, or its folder does not exist.
    """
    if path.is_dir():
        raise FileNotAccessible(f"{path} is a folder", hint="name a file")
    if path.exists():
        raise FileExists(f"{path} already exists", hint="name another file")
    if not path.parent.is_dir():
        problem = (
            f"{path.parent} is not a folder" if path.parent.exists() else f"the folder {path.parent} does not exist"
        )
        raise FileNotAccessible(f"{path} cannot be written: {problem}")


def _why(error: OSError, path: Path) -> str:
    """Return why a path cannot be written: the system does not say that it is the folder that is missing."""
    missing = isinstance(error, FileNotFoundError) and not path.parent.exists()
    return f"the folder {path.parent} does not exist" if missing else str(error.strerror or error)


@contextmanager
def _writing(path: Path, done: str = "written") -> Iterator[None]:
    """Turn an error of the system into one that names the path, and not that of a draft."""
    try:
        yield
    except OSError as error:
        raise_if_disk_full(error)
        raise FileNotAccessible(f"{path} cannot be {done}: {_why(error, path)}") from error


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


def environments_dir(cache: Path | None = None) -> Path:
    """Return the folder of the environments that are built, in spacediff's cache folder or in the one given."""
    return (cache or cache_dir()) / "environments"
