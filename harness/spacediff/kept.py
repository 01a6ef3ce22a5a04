"""What spacediff keeps in its cache folder: what each part is, how large it is, and whether it is still of use.

The folder may be shared with other programs, since the user chooses it: only what spacediff has made itself, by its
name, is ever removed. All of it is made again when it is needed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from spacediff.files import cache_dir, environments_dir, remove_folder
from spacediff.reporting import templates
from spacediff.tiny.checkpoint import ABANDONED_AFTER, BUILTIN, DRAFT, folder_name

_ENVIRONMENT = re.compile(r"(\w+-)?[0-9a-f]{12,64}")
_CHECKPOINT = re.compile(r"tiny-[\w.+-]+")
_TEMPLATES = re.compile(rf"{templates.PREFIX}[0-9a-f]{{16}}")


class Kind(StrEnum):
    """What a part of the cache folder is."""

    CHECKPOINT = "built-in checkpoint"
    ENVIRONMENT = "environment"
    TEMPLATES = "compiled templates"
    DRAFT = "unfinished"


@dataclass(frozen=True)
class Kept:
    """A part of the cache folder.

    Attributes:
        path: Its folder.
        kind: What it is.
        size: Bytes of its files.
        changed: When it was made or last changed, in seconds since 1970.
        of_use: Whether this version of spacediff would use it; unfinished work is of use to a process that may still
            be writing it.
    """

    path: Path
    kind: Kind
    size: int
    changed: float
    of_use: bool


def kept(folder: Path | None = None) -> list[Kept]:
    """Return what spacediff keeps in its cache folder, by kind and name; nothing if there is no such folder.

    Args:
        folder: The cache folder; that of `cache_dir` by default.
    """
    place = folder or cache_dir()
    return sorted(_found(place), key=lambda each: (list(Kind).index(each.kind), each.path.name))


def prune(parts: Iterable[Kept], *, everything: bool = False) -> list[Kept]:
    """Remove what is of no use any more, or everything, and return what was removed.

    What another program has open stays, and is not returned.
    """
    removed = [each for each in parts if everything or not each.of_use]
    for each in removed:
        remove_folder(each.path)
    return [each for each in removed if not each.path.exists()]


def _found(place: Path) -> Iterator[Kept]:
    current = {folder_name(which) for which in BUILTIN.values()}
    for path in _folders(place):
        if path.name.startswith(DRAFT):
            yield _part(path, Kind.DRAFT, of_use=time.time() - path.stat().st_mtime < ABANDONED_AFTER)
        elif _CHECKPOINT.fullmatch(path.name):
            yield _part(path, Kind.CHECKPOINT, of_use=path.name in current)
        elif _TEMPLATES.fullmatch(path.name):
            yield _part(path, Kind.TEMPLATES, of_use=path.name == templates.folder_name())
    for path in _folders(environments_dir(place)):
        if _ENVIRONMENT.fullmatch(path.name):
            yield _part(path, Kind.ENVIRONMENT, of_use=True)


def _folders(place: Path) -> Iterator[Path]:
    """Yield the folders in a folder, and no links."""
    if place.is_dir():
        yield from (path for path in place.iterdir() if path.is_dir() and not path.is_symlink())


def _part(path: Path, kind: Kind, *, of_use: bool) -> Kept:
    stats = [each.lstat() for each in path.rglob("*") if not each.is_dir()]
    changed = max((each.st_mtime for each in stats), default=path.stat().st_mtime)
    return Kept(path, kind, sum(each.st_size for each in stats), changed, of_use)
