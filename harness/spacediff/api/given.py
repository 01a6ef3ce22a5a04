"""What callers may give: a path as text or as a path, one name or several."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import TypeAlias

StrPath: TypeAlias = str | PathLike[str]


def as_names(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return one or several names as a tuple without repetitions; a text is one name, not a series of letters."""
    return (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))
