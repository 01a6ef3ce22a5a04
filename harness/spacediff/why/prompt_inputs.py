"""The input pictures and videos of a script, as a scenario's table [prompts.main.inputs] names them.

An untrusted script must not choose which local files are used, and the audit uploads them to a Space. So only files
inside the script's own folder are taken, and only those that are there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath
from typing import Any

from spacediff.inputs.files import is_media
from spacediff.settings import Settings
from spacediff.why.round_trip import Refused, reason_at

FindFile = Callable[[str], str]
"""Returns the path that a scenario gives to a file of the script; empty if the file is not there."""

NOT_BESIDE = (
    "that file is not in the script's folder, or its EXIF orientation turns it here and not in the script: "
    "put an upright one there, or give it as an input of the prompt"
)
_CALL = "call."


def no_file(_: str) -> str:
    """Find no file."""
    return ""


def files_beside(script: Path, scenario_folder: Path, unturned: Collection[str] = ()) -> FindFile:
    """Find the files that a script names inside its own folder.

    Args:
        script: The script; one that is no file, such as a Space, names none.
        scenario_folder: The folder of the scenario, from which its paths start.
        unturned: Names of the files that the script does not turn as their EXIF orientation says, as a scenario does.
            One with such an orientation is not found.
    """
    folder = script.absolute().parent

    def find(name: str) -> str:
        path = PurePosixPath(name)
        if path.is_absolute() or "\\" in name or ":" in name or ".." in path.parts:
            return ""
        found = folder / path
        try:
            inside = found.is_file() and found.resolve().is_relative_to(folder.resolve())
        except (OSError, ValueError):
            return ""
        if not inside or (name in unturned and _has_orientation(found)):
            return ""
        return _relative(found, scenario_folder.absolute())

    return find if script.is_file() else no_file


def _has_orientation(path: Path) -> bool:
    from spacediff.inputs.pictures import has_orientation  # needs numpy

    return has_orientation(path)


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return path.as_posix()


def prompt_inputs(script: Settings, find: FindFile, refused: Refused) -> dict[str, str | list[str]]:
    """Return the inputs that a script gives its pipeline: argument to a file, or to a list of files.

    Args:
        script: The settings of the script.
        find: Finds a file that the script names.
        refused: What a scenario is known to refuse.
    """
    found: dict[str, str | list[str]] = {}
    for path, setting in script.items():
        name = path.removeprefix(_CALL)
        if (
            not path.startswith(_CALL)
            or not is_media(setting.value)
            or reason_at(f"prompts.main.inputs.{name}", refused)
        ):
            continue
        if reason_at(f"baseline.{path}", refused):
            continue
        files = [find(text) for text in _texts(setting.value)]
        if all(files):
            found[name] = files if isinstance(setting.value, list) else files[0]
    return found


def without_inputs(settings: Settings, inputs: dict[str, Any]) -> Settings:
    """Return settings without what is given as an input of the prompt."""
    return Settings({path: each for path, each in settings.items() if path.removeprefix(_CALL) not in inputs})


def _texts(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
