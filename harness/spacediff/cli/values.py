"""The values that options take, read from their words."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

_PLACE = re.compile(r"(?:.+:)?[1-9]\d*|(?:.+, )?(?:cell [1-9]\d*, )?line [1-9]\d*")


def count(text: str) -> int:
    """Read a whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def generations(text: str) -> float:
    """Read a number of generations above 0."""
    return _above_0(text, "generations", "2.5")


def seconds(text: str) -> float:
    """Read a number of seconds above 0."""
    return _above_0(text, "seconds", "90")


def counts(text: str) -> tuple[int, ...]:
    """Read whole numbers of at least 1, with commas between them."""
    return tuple(count(part) for part in text.split(","))


def path(text: str) -> Path:
    """Read the name of a file or folder."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty")
    return Path(text)


def place(text: str) -> str:
    """Read the line of a call, as `read` and `why` print it."""
    if text and not _PLACE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not LINE or FILE:LINE, such as 7, app.py:7 or 'cell 2, line 7'")
    return text


def minutes(text: str) -> float:
    """Read a number of minutes, 0 or more."""
    number = _number(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes, such as 90")
    return number


def _above_0(text: str, unit: str, example: str) -> float:
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {unit} above 0, such as {example}")
    return number


def _number(text: str) -> float:
    """Read a number; NaN, which lies in no range, if it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
