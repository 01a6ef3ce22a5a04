"""A fact of each kind, with values made up."""

from __future__ import annotations

from typing import Any

from spacediff.record import Fact, FactKind, fact


def value(of: Any, text: str) -> Any:
    """Return a value of a type that a kind has under a name."""
    examples: dict[Any, Any] = {
        str: text,
        str | None: text,
        int: 3,
        int | None: 3,
        float: 0.25,
        float | None: 0.25,
        bool: True,
        Any: text,
        list[str]: [text, text],
        list[int]: [96, 64],
        list[float]: [8.0, 16.0],
        list[list[int]]: [[0, 3], [7, 7]],
    }
    return examples[of]


def made(kind: FactKind, text: str = "some text") -> Fact:
    """Return a fact of a kind; every text in it is `text`."""
    return fact(kind, **{name: value(of, text) for name, of in kind.values.items()})
