"""A scratch copy of a working folder, in which a script finds its files and what it writes stays.

The key insight: a script may write over what is there, also through programs that it starts, and nothing in its process
can prevent that. So what it may write over is copied, and only what is too large for that, in practice weights, is
linked and looked at again afterwards.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from spacediff.errors import GenerationFailed

COPIED_BYTES = 64 * 2**20
"""Larger files are linked."""
MOST_BYTES = 2 * 2**30
"""More is not copied for a run …"""
MOST_FILES = 20_000
"""… nor are more files."""
_WEIGHTS = frozenset({".safetensors", ".gguf", ".ckpt", ".pt", ".pth", ".bin", ".onnx"})
_LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages"})


@dataclass(frozen=True)
class Linked:
    """A file that is not copied, as it was before the script ran."""

    path: Path
    size: int
    changed: int

    @property
    def is_as_before(self) -> bool:
        """Whether size and time of change are the same."""
        return self == linked(self.path)


def linked(path: Path) -> Linked:
    """Return a file as it is now; size and time are -1 for one that is gone."""
    try:
        status = path.stat()
    except OSError:
        return Linked(path, -1, -1)
    return Linked(path, status.st_size, status.st_mtime_ns)


def fill_scratch(folder: Path, scratch: Path) -> list[Linked]:
    """Fill a scratch folder with the files of a working folder.

    Hidden folders, environments of Python, audits, and the folder that the scratch folder is in are left out. A link to
    a folder becomes a copy of it, since a script may write into that too; a link that leads in a circle leads to that
    place of the copy.

    Args:
        folder: The working folder.
        scratch: An empty folder.

    Returns:
        The files that are linked.

    Raises:
        GenerationFailed: The folder has too much in it, or a file cannot be read.
    """
    links: list[Linked] = []
    count = copied = 0
    try:
        temporary = frozenset({scratch.resolve(), *scratch.resolve().parents})
        for source, circle in _files(folder, {folder.resolve(): folder}, temporary):
            target = scratch / source.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            if circle is not None:
                target.symlink_to(scratch / circle.relative_to(folder), target_is_directory=True)
                continue
            if source.is_dir():
                target.mkdir(exist_ok=True)
                continue
            found = linked(source)
            count += 1
            if found.size > COPIED_BYTES or source.suffix.lower() in _WEIGHTS:
                _link(source, target)
                links.append(found)
            else:
                copied += max(found.size, 0)
                shutil.copy2(source, target)
            if copied > MOST_BYTES or count > MOST_FILES:
                raise GenerationFailed(
                    f"the working folder {folder} has more than {MOST_FILES:,} files, or than {MOST_BYTES >> 30} GiB "
                    "in files that are no weights",
                    hint="put the scenario and what the script reads by relative paths into a folder of their own; "
                    "folders that are links in it are copied too",
                )
    except OSError as error:
        raise GenerationFailed(f"the working folder {folder} cannot be copied: {error}") from error
    return links


def _files(folder: Path, around: Mapping[Path, Path], temporary: frozenset[Path]) -> Iterator[tuple[Path, Path | None]]:
    """Yield what is in a folder, the folders first; sockets and the like are left out.

    Args:
        folder: The folder.
        around: It and the folders around it: where they really are, to where they were found.
        temporary: Folders that are left out, unless they are around it.

    Yields:
        A file or folder; with it, for one that is a folder around it again, where that was found.
    """
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.is_dir():
            if entry.name.startswith(".") or entry.name in _LEFT_OUT or _is_left_out(path):
                continue
            real = path.resolve()
            if real in temporary - around.keys():
                continue
            yield path, around.get(real)
            if real not in around:
                yield from _files(path, {**around, real: path}, temporary)
        elif entry.is_file():
            yield path, None


def _is_left_out(folder: Path) -> bool:
    """Whether a folder is an audit or an environment of Python."""
    begun = (folder / ".lock").is_file() and (folder / "runs").is_dir()
    return begun or (folder / "audit.json").is_file() or (folder / "pyvenv.cfg").is_file()


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source.resolve())
    except OSError:  # Windows allows links to some users only
        shutil.copy2(source, target)
