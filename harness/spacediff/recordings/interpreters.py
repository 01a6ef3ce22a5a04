"""Ask an interpreter of Python that the user names, without spacediff in its environment."""

from __future__ import annotations

import subprocess

from spacediff.errors import InvalidArgument

_PATIENCE = 60.0
"""Seconds that an interpreter may take to answer."""


def answer_of(interpreter: str, *arguments: str) -> str:
    """Return what an interpreter prints.

    Raises:
        InvalidArgument: It does not start, fails, or does not answer in time.
    """
    try:
        return subprocess.run(  # noqa: S603 - the interpreter that the user names
            [interpreter, *arguments], capture_output=True, text=True, timeout=_PATIENCE, check=True
        ).stdout
    except subprocess.TimeoutExpired as error:
        raise InvalidArgument(
            f"{interpreter} has not answered after {_PATIENCE:g} s", hint="try again when this machine is less busy"
        ) from error
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise no_python(interpreter) from error


def no_python(interpreter: str) -> InvalidArgument:
    """Return the error of what is no interpreter of Python."""
    return InvalidArgument(f"{interpreter} does not start as a Python interpreter")
