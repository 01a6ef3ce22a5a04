"""Pack what was recorded of one event as a recording, in the format that `spacediff.recordings` reads.

It is done where the recorder runs, so that what leaves the app is complete and holds no place and no secret of it.
"""

from __future__ import annotations

import io
import json
import os
import platform
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from .frames import left_to_the_pipeline
from .writing import NOTES

_NOT_IN_A_TRACE = frozenset({"latents", "loops", "interleaved", "encoded", "copied"})
_NO_FRAMES = "a probe keeps no frames"
_PLACE = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?(?:[/\\][\w.@+~-]+)+[/\\]([\w.@+~-]+)")
"""A path from the root with two names or more."""
_TOKEN = re.compile(r"\b(?:hf|api_org|sk|gh[oprsu]|r8)[_-][A-Za-z0-9_-]{16,}")
_SECRET_VARIABLE = re.compile(r"TOKEN|SECRET|PASSW|KEY|CREDENTIAL")
_SHORTEST_SECRET = 8


def packed(folder: Path, version: str) -> bytes:
    """Return the recording in a folder as the bytes of a ZIP; empty if there is none, or a call has not ended yet.

    Args:
        folder: The folder of an event.
        version: The version of spacediff that this code is of.
    """
    calls = [_read(file) for _, file in sorted(_numbered(folder / "calls"))]
    notes = _notes(folder / NOTES)
    if any(call.get("outcome") == "not finished" for call in calls) or not (calls or notes):
        return b""
    scripts = [PurePath(call["where"]["file"]).name for call in calls if call.get("where")]
    recording = {
        "schema_version": 1,
        "spacediff": version,
        "script": scripts[-1] if scripts else "",
        "python": platform.python_version(),
        "exit_code": 0,
        "calls": [_call(call) for call in calls],
        "notes": [without_places(note) for note in notes],
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("recording.json", json.dumps(recording, default=str))
    return content.getvalue()


def _call(raw: Mapping[str, Any]) -> dict[str, Any]:
    place, seen, clip = raw.get("where") or {}, raw.get("observation"), raw.get("clip") or {}
    machine = {name: text for name, text in raw.get("machine", {}).items() if not name.isupper()}  # no variables
    return {
        "number": raw["number"],
        "where": f"{PurePath(place['file']).name}:{place['line']}" if place else "",
        "outcome": without_places(raw.get("outcome", "")),
        "seconds": raw.get("seconds", 0.0),
        "own_seconds": raw.get("own_seconds", 0.0),
        "prompt": raw.get("prompt"),
        "settings": without_places(dict(_shown(raw.get("settings", {}))) | left_to_the_pipeline(raw)),
        "trace": seen and {name: value for name, value in seen.items() if name not in _NOT_IN_A_TRACE},
        "medium": clip.get("medium", "video"),
        "without_clip": clip.get("reason", _NO_FRAMES),
        "censored": clip.get("censored", []),
        "audio": clip.get("audio", False),
        "machine": without_places(machine),
    }


def without_places(value: Any) -> Any:
    """Return a JSON value whose texts have no folders, no tokens and no secrets of the environment in them."""
    if isinstance(value, str):
        for secret in _secrets():
            value = value.replace(secret, "[redacted]")
        return _PLACE.sub(r".../\1", _TOKEN.sub("[redacted]", value))
    if isinstance(value, dict):
        return {name: without_places(each) for name, each in value.items()}
    if isinstance(value, list):
        return [without_places(each) for each in value]
    return value


def _secrets() -> list[str]:
    found = [value for name, value in os.environ.items() if _SECRET_VARIABLE.search(name.upper())]
    return [value for value in found if len(value) >= _SHORTEST_SECRET]


def _shown(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield path and value of the settings, without the ids that are folders of this machine."""
    for path, value in _leaves(settings):
        if not (path.endswith(".id") and isinstance(value, str) and _PLACE.fullmatch(value)):
            yield path, value


def _leaves(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted path and the value of each setting; an empty table is a value."""
    for name, value in nested.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _numbered(folder: Path) -> Iterator[tuple[int, Path]]:
    for each in folder.glob("*/call.json"):
        if each.parent.name.isdecimal():
            yield int(each.parent.name), each


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def _notes(file: Path) -> list[str]:
    lines = file.read_text("utf-8").splitlines() if file.is_file() else ()
    return [str(json.loads(line)) for line in lines]
