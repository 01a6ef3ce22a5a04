"""Arguments of the tiny model's commands; what cannot be taken ends as argparse ends it, with exit code 2."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

from spacediff.tiny.trained import FILES


def count(text: str) -> int:
    """Return a number of at least 1.

    Raises:
        ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"found {text!r}; expected a whole number of at least 1")
    return int(text)


def weights(text: str) -> Path:
    """Return a folder that holds what `spacediff.training.train` writes.

    Raises:
        ArgumentTypeError: A file is not there.
    """
    folder = Path(text)
    if lacking := [name for name in FILES if not (folder / name).is_file()]:
        raise ArgumentTypeError(f"there is no {lacking[0]} in {text!r}; expected a folder that training wrote")
    return folder


def new_file(text: str) -> Path:
    """Return a path in a folder that exists.

    Raises:
        ArgumentTypeError: The folder does not exist, or the path is a folder.
    """
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise ArgumentTypeError(f"found {text!r}; expected a file in a folder that exists")
    return path


def folder(text: str) -> Path:
    """Return a folder, made if needed.

    Raises:
        ArgumentTypeError: It cannot be made.
    """
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentTypeError(f"the folder {text!r} cannot be made: {error.strerror}") from error
    return path
