"""Fingerprints of what settings load: a run is another one once a local file or a repository of it has changed.

The key insight is that whatever is loaded is named by a path or by an id, in whatever table it stands. So no table has
to say which of its values are files, and an adapter in a folder is noticed like a checkpoint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spacediff.hub.commits import commit_of
from spacediff.scenario.paths import is_path
from spacediff.settings import Settings
from spacediff.tiny.checkpoint import BUILTIN

_CHECKPOINT = "model.id"
_LOADED = frozenset({"model", "load", "components", "lora", "textual_inversion", "ip_adapter"})
"""Tables whose paths name what is loaded."""


def stamp_of(settings: Settings) -> str:
    """Return one fingerprint of all that settings load: files, folders, and commits of repositories.

    It is empty where nothing is known of what is loaded: a Hub id, and neither the Hub nor the cache has its commit.

    Args:
        settings: The Settings of a run.
    """
    checkpoint = stamp(str(settings.value(_CHECKPOINT, "")), settings.value("model.revision"))
    others = [(path, name, stamp(name, revision)) for path, name, revision in _loaded(settings)]
    others = [each for each in others if is_path(each[1]) or each[2]]
    if not others:
        return checkpoint
    return hashlib.sha256(repr((checkpoint, others)).encode()).hexdigest()


def stamp(name: str, revision: str | None = None) -> str:
    """Return a fingerprint of a local file, or of the files of a folder, or the commit of a repository.

    It is empty for what is missing, and for a repository whose commit is not known.

    Args:
        name: A path, a Hub id, or one of spacediff's own checkpoints.
        revision: Branch, tag or commit of a repository; None for the default.
    """
    if name in BUILTIN:
        return BUILTIN[name].stamp
    if not name:
        return ""
    place = Path(name)
    try:
        if place.is_file():
            return _digest([place], place.parent)
        if place.is_dir():
            return _digest([path for path in place.rglob("*") if path.is_file()], place)
    except OSError:  # a name that the system cannot have, or a file that went away
        return ""
    return "" if is_path(name) else commit_of(name, revision)


def _digest(files: Sequence[Path], folder: Path) -> str:
    found = sorted((path.relative_to(folder).as_posix(), path.stat()) for path in files)
    listed = [(name, status.st_size, status.st_mtime_ns) for name, status in found]
    return hashlib.sha256(repr(listed).encode()).hexdigest()


def _loaded(settings: Settings) -> Iterator[tuple[str, str, str | None]]:
    """Yield the settings that name what is loaded, with its name and revision, without the checkpoint itself."""
    for path, setting in settings.items():
        table, _, key = path.rpartition(".")
        if path == _CHECKPOINT or path.partition(".")[0] not in _LOADED:
            continue
        for value in _texts(setting.value):
            if is_path(value) or key == "id":
                yield path, value, settings.value(f"{table}.revision")


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, str)]
