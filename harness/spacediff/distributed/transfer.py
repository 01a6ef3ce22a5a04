"""Files of runs on their way between a worker and the audit folder, each verified by its SHA-256.

They pass through Ray's object store in pieces, so that no file has to fit into it. Where even a piece finds no room,
the rest goes in pieces so small that Ray sends them within its messages. Or they pass through a folder that both sides
see: any path that fsspec knows, such as `s3://bucket/folder`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacediff.errors import TransferFailed
from spacediff.file_names import path_within
from spacediff.files import make_folder, move, sha256

PIECE = 4 * 2**20
"""Bytes of a piece that goes through the object store …"""
SMALL_PIECE = 64 * 2**10
"""… and of one that Ray sends within a message: less than its `max_direct_call_object_size` of 100 KiB."""
_SUFFIX = ".arriving"


@dataclass(frozen=True)
class Sent:
    """A file that one side has and the other wants.

    Attributes:
        name: Its path in the audit folder, with slashes.
        size: Bytes.
        digest: SHA-256 in hexadecimal digits.
    """

    name: str
    size: int
    digest: str


class NoRoomError(Exception):
    """The object store has no room for a piece."""


def listed(folder: Path, names: Iterable[str]) -> tuple[Sent, ...]:
    """Describe files below a folder."""
    paths = ((name, folder / name) for name in names)
    return tuple(Sent(name, path.stat().st_size, sha256(path)) for name, path in paths)


def lacking(folder: Path, files: Iterable[Sent]) -> tuple[Sent, ...]:
    """Return those files that a folder does not have, or not as they should be."""
    return tuple(each for each in files if not _is_there(folder / each.name, each))


def _is_there(path: Path, file: Sent) -> bool:
    return path.is_file() and path.stat().st_size == file.size and sha256(path) == file.digest


def read_piece(folder: Path, name: str, offset: int, size: int) -> bytes:
    """Return a piece of a file."""
    with _inside(folder, name).open("rb") as file:
        file.seek(offset)
        return file.read(size)


def write_piece(folder: Path, name: str, offset: int, piece: bytes) -> None:
    """Write a piece of a file that is arriving."""
    path = _arriving(_inside(folder, name))
    make_folder(path.parent)
    with path.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        file.write(piece)


def arrived(folder: Path, file: Sent) -> None:
    """Give a file its name when all of it has arrived.

    Raises:
        TransferFailed: It is not the file that was sent.
    """
    path = _inside(folder, file.name)
    arriving = _arriving(path)
    if not file.size:
        write_piece(folder, file.name, 0, b"")
    if not _is_there(arriving, file):
        arriving.unlink(missing_ok=True)
        raise TransferFailed(f"{file.name} was damaged on its way between a worker and the audit folder")
    move(arriving, path)


def pieces(file: Sent, read: Callable[[str, int, int], bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield a file in pieces with their offsets; smaller ones as soon as one finds no room.

    Args:
        file: The file.
        read: Returns so many bytes of a file from an offset on.

    Raises:
        NoRoomError: Not even the small pieces find room.
        TransferFailed: The file is shorter than it was.
    """
    offset, size = 0, PIECE
    while offset < file.size:
        try:
            piece = read(file.name, offset, size)
        except NoRoomError:
            if size == SMALL_PIECE:
                raise
            size = SMALL_PIECE
            continue
        if not piece:
            raise TransferFailed(f"{file.name} became shorter while it was read")
        yield offset, piece
        offset += len(piece)


@dataclass(frozen=True)
class SharedFolder:
    """A folder that all machines see.

    Attributes:
        url: Any path that fsspec knows.
    """

    url: str

    def put(self, folder: Path, files: Iterable[Sent]) -> None:
        """Copy files into it, under their hashes."""
        system, root = self._opened()
        for each in files:
            system.put_file(str(folder / each.name), f"{root}/{each.digest}")

    def take(self, folder: Path, files: Iterable[Sent], *, remove: bool) -> None:
        """Copy files from it.

        Raises:
            TransferFailed: One is not the file that was put there.
        """
        system, root = self._opened()
        for each in files:
            path = _arriving(_inside(folder, each.name))
            make_folder(path.parent)
            system.get_file(f"{root}/{each.digest}", str(path))
            arrived(folder, each)
            if remove:
                system.rm_file(f"{root}/{each.digest}")

    def _opened(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(self.url)
        system.makedirs(root, exist_ok=True)
        return system, root.rstrip("/")


def _inside(folder: Path, name: str) -> Path:
    """Return the path of a file below a folder; a name that leads out of it is a mistake of the other side."""
    path = path_within(folder, name)
    if path is None:
        raise TransferFailed(f"a worker named a file outside the audit folder: {name!r}")
    return path


def _arriving(path: Path) -> Path:
    return path.with_name(path.name + _SUFFIX)
