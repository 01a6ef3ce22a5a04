"""The environment of a program that names its requirements: built by uv, and kept in the cache for later audits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from spacediff.environments.uv import uv_program
from spacediff.errors import ProgramFailed, ProgramNotStarted, ProgramTimedOut
from spacediff.files import make_folder, remove_folder
from spacediff.processes import python
from spacediff.progress import Progress

_COMPLETE = "complete"
"""A file in an environment whose building has ended well."""


def building_commands(request: Mapping[str, Any]) -> list[list[str]]:
    """Return the commands that build the environment of a program; none where it is there, or none is asked for."""
    if not request["requirements"] or (_folder(request) / _COMPLETE).is_file():
        return []
    folder = _folder(request)
    return [
        ["uv", "venv", "--no-project", "--python", python()[0], str(folder)],
        ["uv", "pip", "install", "--python", request["python"], "--requirement", request["requirements"]],
    ]


def build(request: Mapping[str, Any], run: Callable[[Sequence[str]], None], progress: Progress) -> None:
    """Build the environment of a program, unless it is there.

    Args:
        request: The request of the run.
        run: Runs a command line to its end; raises `ProgramFailed` or `ProgramTimedOut`.
        progress: Receives the progress.

    Raises:
        ProgramNotStarted: There is no uv, or it does not build the environment.
    """
    if not building_commands(request):
        return
    uv = uv_program()
    if uv is None:
        raise ProgramNotStarted(
            "reference.command.requirements needs uv, which is not installed",
            hint="install uv, or name an interpreter as reference.command.python",
        )
    folder = _folder(request)
    make_folder(folder.parent)
    with FileLock(folder.with_suffix(".lock")):
        commands = building_commands(request)  # another audit may have built it meanwhile
        if commands:
            progress.on_status("building the environment of the program")
            remove_folder(folder)
        for _, *arguments in commands:
            try:
                run([uv, *arguments])
            except (ProgramFailed, ProgramTimedOut) as error:
                name = Path(request["requirements"]).name
                raise ProgramNotStarted(f"uv did not build the environment of {name}", hint=error.hint) from error
        if commands:
            (folder / _COMPLETE).touch()


def _folder(request: Mapping[str, Any]) -> Path:
    return Path(request["python"]).parent.parent
