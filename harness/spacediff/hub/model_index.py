"""Which pipeline class a checkpoint names in its `model_index.json`, read as data."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

from spacediff.hub.ids import is_repository_id

MODEL_INDEX = "model_index.json"
_MOST_BYTES = 64 * 1024

PipelineLookUp = Callable[[str, str | None], str]
"""Returns the pipeline class of a checkpoint, by name and revision; empty if it is not known."""


def class_not_looked_up(_: str, __: str | None = None) -> str:
    """Return no class."""
    return ""


@functools.lru_cache(maxsize=32)
def class_on_the_hub(name: str, revision: str | None = None) -> str:
    """Look up the class on the Hub. One small file is downloaded; no error is raised."""
    from spacediff.hub.asking import small_file

    if not is_repository_id(name):
        return ""
    return _read(small_file(name, MODEL_INDEX, kind="model", revision=revision, most_bytes=_MOST_BYTES))


def class_here_or_on_the_hub(name: str, revision: str | None = None) -> str:
    """Look up the class in a local folder, or else on the Hub.

    Only for names from the user: an untrusted source must not choose which local files are read.
    """
    try:
        if not Path(name).is_dir():
            return class_on_the_hub(name, revision)
    except (OSError, ValueError):
        return ""
    return _read_file(Path(name, MODEL_INDEX))


def class_on_this_machine(name: str, revision: str | None = None) -> str:
    """Look up the class in a local folder, or in the cache of the Hub's client; nothing is asked of the Hub.

    Only for names from the user: an untrusted source must not choose which local files are read.
    """
    if not is_repository_id(name) or Path(name).is_dir():
        return _read_file(Path(name, MODEL_INDEX))
    from huggingface_hub import try_to_load_from_cache

    kept = try_to_load_from_cache(name, MODEL_INDEX, revision=revision)
    return _read_file(Path(kept)) if isinstance(kept, str) else ""


def _read_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError):
        return ""
    return _read(content if len(content) <= _MOST_BYTES else None)


def _read(content: bytes | None) -> str:
    try:
        data = json.loads(content or b"")
    except (ValueError, RecursionError):
        return ""
    name = data.get("_class_name") if isinstance(data, dict) else None
    return name if isinstance(name, str) and name.isidentifier() else ""
