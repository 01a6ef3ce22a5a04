"""The index of a checkpoint: which components it has, of which class, and where they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILES = ("model_index.json", "modular_model_index.json")


@dataclass(frozen=True)
class Entry:
    """What an index says of a component.

    Attributes:
        kind: Name of its class; empty where the index names none.
        source: Folder or repository with its files.
        subfolder: Folder inside.
    """

    kind: str
    source: str
    subfolder: str


def index_of(folder: Path) -> dict[str, Any]:
    """Return the index of a checkpoint as it is stored; an empty one if it is missing or damaged."""
    for file in _FILES:
        try:
            found = json.loads((folder / file).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def entry_of(folder: Path, component: str) -> Entry:
    """Return what the index of a checkpoint says of a component; by default it is in a folder of its name.

    Args:
        folder: The checkpoint.
        component: The name of the component.
    """
    match index_of(folder).get(component):
        case [str(), str(kind)]:
            return Entry(kind, str(folder), component)
        case [_, _, {"pretrained_model_name_or_path": str(source), "type_hint": [_, str(kind)]} as place]:
            return Entry(kind, source, str(place.get("subfolder") or ""))
    return Entry("", str(folder), component)
