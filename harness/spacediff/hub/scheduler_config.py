"""The checkpoint behind a source: what it is called today, and the scheduler that it brings, read as data.

The key insight is that a script which says nothing of the scheduler still has one: the checkpoint names it, in a file
of a few hundred bytes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacediff.errors import NotMeasuredError
from spacediff.hub.ids import is_repository_id

SCHEDULER_FILE = "scheduler/scheduler_config.json"
_MOST_BYTES = 64 * 1024
_PATIENCE_SECONDS = 10.0
_RENAMED_OWNERS = {"THUDM": "zai-org"}
"""Owners on the Hub by their former name, under which all their repositories are still found."""


@dataclass(frozen=True)
class Checkpoint:
    """What is known of a checkpoint.

    Attributes:
        id: Its name today, or its folder.
        scheduler: Its scheduler's configuration; `class` is the scheduler's class.
        where: Where that stands.
        reason: Why the configuration is not known; empty when it is.
    """

    id: str
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    reason: str = ""


LookUp = Callable[[str, str | None], Checkpoint]
"""Gives the checkpoint of a name and a revision."""


def present_name(name: str) -> str:
    """Return a repository's name with its owner's present name."""
    owner, slash, rest = name.partition("/")
    return f"{_RENAMED_OWNERS.get(owner, owner)}{slash}{rest}"


def not_asked(name: str, _: str | None = None) -> Checkpoint:
    """Return what is known of a checkpoint without looking for it."""
    return Checkpoint(present_name(name), reason="it was not asked for")


@functools.lru_cache(maxsize=32)
def on_the_hub(name: str, revision: str | None = None) -> Checkpoint:
    """Return what the Hub says of a checkpoint; a file of bounded size is fetched, and nothing is raised."""
    from spacediff.hub.errors import explained
    from spacediff.hub.files import small_file

    if not is_repository_id(name):
        return Checkpoint(name, reason="it is no repository of the Hub")
    try:
        with explained(name, "checkpoint"):
            from huggingface_hub import HfApi

            info = HfApi().model_info(name, revision=revision, timeout=_PATIENCE_SECONDS)
    except NotMeasuredError as error:
        return Checkpoint(present_name(name), reason=error.message)
    found = str(info.id)
    content = small_file(found, SCHEDULER_FILE, kind="model", revision=info.sha, most_bytes=_MOST_BYTES)
    return _read(found if is_repository_id(found) else present_name(name), content)


def here_or_on_the_hub(name: str, revision: str | None = None) -> Checkpoint:
    """Return what a folder of this machine says of a checkpoint, or else the Hub.

    Only for names that the user wrote: a stranger's source does not choose which files are read here.
    """
    folder = Path(name)
    try:
        if not folder.is_dir():
            return on_the_hub(name, revision)
        with (folder / SCHEDULER_FILE).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError):
        return Checkpoint(name, reason="it cannot be read")
    return _read(name, content if len(content) <= _MOST_BYTES else None)


def _read(name: str, content: bytes | None) -> Checkpoint:
    """Return a checkpoint with its scheduler's configuration, as far as that is in order."""
    if content is None:
        return Checkpoint(name, reason="it cannot be had")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    kind = data.pop("_class_name", None) if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(kind, str) or not kind.isidentifier():
        return Checkpoint(name, reason="it is no configuration of a scheduler")
    entries = {key: value for key, value in data.items() if not key.startswith("_") and key.isidentifier()}
    return Checkpoint(name, {**entries, "class": kind}, f"{name}: {SCHEDULER_FILE}")
