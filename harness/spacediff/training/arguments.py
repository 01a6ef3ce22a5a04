"""Argument types of the training commands; argparse reports an invalid argument and exits with code 2."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

from spacediff.tiny.trained import FILES


def count(text: str) -> int:
    """Parse a whole number of at least 1.

    Raises:
        ArgumentTypeError: The text is not such a number.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"found {text!r}; expected a whole number of at least 1")
    return int(text)


def weights(text: str) -> Path:
    """Parse a folder with the files that `spacediff.training.train` writes.

    Raises:
        ArgumentTypeError: A file is missing.
    """
    folder = Path(text)
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise ArgumentTypeError(f"there is no {missing[0]} in {text!r}; expected a folder written by the training")
    return folder


def new_file(text: str) -> Path:
    """Parse the path of a file in a folder that exists.

    Raises:
        ArgumentTypeError: The folder does not exist, or the path is a folder.
    """
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise ArgumentTypeError(f"found {text!r}; expected a file in a folder that exists")
    return path


def folder(text: str) -> Path:
    """Parse a folder, and create it if needed.

    Raises:
        ArgumentTypeError: The folder cannot be created.
    """
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentTypeError(f"the folder {text!r} cannot be created: {error.strerror}") from error
    return path
