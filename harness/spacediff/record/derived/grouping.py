"""Equal items of several runs are one item with several runs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item")


def grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> list[list[_Item]]:
    """Put items with equal keys together, in order of appearance."""
    groups: dict[_Key, list[_Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def with_owners(found: Iterable[tuple[_Item, str]]) -> list[tuple[_Item, list[str]]]:
    """Put equal items together, in order of appearance, each with the names that have it; a name stands once."""
    groups: list[tuple[_Item, dict[str, None]]] = []  # items may be unhashable
    for item, name in found:
        names = next((names for known, names in groups if known == item), None)
        if names is None:
            groups.append((item, {name: None}))
        else:
            names[name] = None
    return [(item, list(names)) for item, names in groups]
