"""Placeholders for files: `{file:image}` among the inputs of a Space stands for the prompt's input `image`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from spacediff.inputs.files import Input

_WHOLE = re.compile(r"\{file:([A-Za-z_]\w*)\}")
_ANYWHERE = re.compile(r"\{file\b[^{}]*\}")
_SHOWN_DIGITS = 16


def named_in(text: str) -> str:
    """Return the input that a text stands for; empty if it is no placeholder of a file."""
    found = _WHOLE.fullmatch(text)
    return found[1] if found else ""


def is_misspelt(text: str) -> bool:
    """Whether a text has a placeholder of a file that would not be replaced, since it is not all of the text."""
    return _ANYWHERE.search(text) is not None and not named_in(text)


def texts_with_places(value: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield each text in nested tables and lists with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts_with_places(item, (*where, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from texts_with_places(item, (*where, index))


def inputs_named_in(value: Any) -> list[str]:
    """Return the names of the inputs that nested tables and lists stand for, each once."""
    return list(dict.fromkeys(name for _, text in texts_with_places(value) if (name := named_in(text))))


def described(given: Input, *, private: bool) -> Any:
    """Describe an input in place of its files, for a record: the beginning of each SHA-256, unless it is private."""
    texts = ["a private file" if private else f"sha256:{file.digest[:_SHOWN_DIGITS]}" for file in given.files]
    return texts if given.listed else texts[0]
