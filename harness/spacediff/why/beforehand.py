"""What is refused before a script and a Space are measured: what is no script, other versions, taken files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from spacediff.errors import InvalidArgument
from spacediff.files import ensure_new
from spacediff.hub.ids import is_repository_id, space_of
from spacediff.reading.commands import commands_in


def scenario_path(script: str | PathLike[str], scenario: str | PathLike[str] | None) -> Path:
    """Return where the scenario for a script is written; for a command, the script is that which it runs."""
    if scenario is not None:
        return Path(scenario)
    commands = [] if Path(script).exists() else commands_in(str(script), str)
    return Path(f"why-{Path(commands[0].script if commands else script).stem}.toml")


def ensure_versions_fit(*, versions: bool, run: bool) -> None:
    """Refuse other versions for a script that is run.

    Raises:
        InvalidArgument: Both are asked for.
    """
    if versions and run:
        raise InvalidArgument(
            "a script runs with the libraries of its own interpreter, so other versions cannot be tried with it",
            hint="measure the settings that were read of it; or record the script with each interpreter, and compare",
        )


def ensure_script(script: str | PathLike[str]) -> None:
    """Refuse what is not run: pasted code, commands, everything that is no Python file of the user.

    Raises:
        InvalidArgument: It is no `.py` file.
    """
    if Path(script).suffix != ".py" or not Path(script).is_file():
        raise InvalidArgument(f"{script} is not run: only a .py file of your own is")


def ensure_writable(scenario: Path, patch: str | PathLike[str] | None) -> None:
    """Refuse a patch file that cannot be written as a new one.

    Raises:
        FileExists: The file exists.
        FileNotAccessible: It is a folder, or its folder does not exist.
        InvalidArgument: It is also the file for the scenario.
    """
    if patch is None:
        return
    ensure_new(Path(patch))
    if Path(patch).absolute() == scenario.absolute():
        raise InvalidArgument(f"{scenario} would hold both scenario and patch", hint="name another file")


def hosted_id(space: str) -> str:
    """Return `ORG/NAME` of a Space, from that or from its address; empty for a folder and anything else."""
    named = space_of(space)
    return named if is_repository_id(named) and not Path(named).exists() else ""
