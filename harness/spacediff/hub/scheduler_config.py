"""Look up a checkpoint: its current name, and the configuration of its scheduler, read as data.

The key insight is that a script has a scheduler even if it does not mention one: a file of the checkpoint with a few
hundred bytes names it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacediff.catalogue.builtin_checkpoints import BUILTIN, SCHEDULER_CLASS, SCHEDULER_CONFIG
from spacediff.errors import NotMeasuredError
from spacediff.hub.ids import is_repository_id
from spacediff.hub.names import present_name

SCHEDULER_FILE = "scheduler/scheduler_config.json"
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Checkpoint:
    """What is known about a checkpoint.

    Attributes:
        id: Its current name, or its folder.
        scheduler: Its scheduler's configuration; `class` is the scheduler's class.
        where: The file with the configuration.
        reason: Why the configuration is unknown; empty when it is known.
    """

    id: str
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    reason: str = ""


LookUp = Callable[[str, str | None], Checkpoint]
"""Looks up a checkpoint by name and revision."""


def not_looked_up(name: str, _: str | None = None) -> Checkpoint:
    """Return a checkpoint without looking it up."""
    return Checkpoint(present_name(name), reason="it was not looked up")


@functools.lru_cache(maxsize=32)
def on_the_hub(name: str, revision: str | None = None) -> Checkpoint:
    """Look up a checkpoint on the Hub. One small file is downloaded; no error is raised."""
    from spacediff.hub.asking import model_on_hub, small_file

    if name in BUILTIN:
        return Checkpoint(name, {**SCHEDULER_CONFIG, "class": SCHEDULER_CLASS}, f"{name}: {SCHEDULER_FILE}")
    if not is_repository_id(name):
        return Checkpoint(name, reason="it is not an id of the Hub")
    try:
        info = model_on_hub(name, revision)
    except NotMeasuredError as error:
        return Checkpoint(present_name(name), reason=error.message)
    found = info.id
    content = small_file(found, SCHEDULER_FILE, kind="model", revision=info.commit or None, most_bytes=_MOST_BYTES)
    return _read(found if is_repository_id(found) else present_name(name), content)


def here_or_on_the_hub(name: str, revision: str | None = None) -> Checkpoint:
    """Look up a checkpoint in a local folder, or else on the Hub.

    Only for names from the user: an untrusted source must not choose which local files are read.
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
    """Return a checkpoint with its scheduler's configuration, if that is valid."""
    if content is None:
        return Checkpoint(name, reason="it is unavailable")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    kind = data.pop("_class_name", None) if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(kind, str) or not kind.isidentifier():
        return Checkpoint(name, reason="it is not a scheduler's configuration")
    entries = {key: value for key, value in data.items() if not key.startswith("_") and key.isidentifier()}
    return Checkpoint(name, {**entries, "class": kind}, f"{name}: {SCHEDULER_FILE}")
