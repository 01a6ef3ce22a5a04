"""Lists and dicts that are changed in place, under every name that they have.

The key insight is that a name refers to a list and is not the list: a change shows under every name. So lists and dicts
carry an identity, and a change is made wherever that identity is found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TypeVar

from spacediff.reading.values.kinds import (
    Asked,
    Either,
    Function,
    Items,
    Partial,
    Table,
    Unknown,
    Value,
)
from spacediff.reading.values.operations import either, inside, results_in

_DEEPEST = 40

_Name = TypeVar("_Name")


def identities(values: Iterable[Value]) -> set[int]:
    """Return the identities of all lists and dicts inside values."""
    found: set[int] = set()
    seen: set[int] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Items | Table) and value.identity:
            found.add(value.identity)
        waiting.extend(inside(value))
    return found


class Change:
    """A change of the lists and dicts with given identities, wherever they are; each is changed once."""

    def __init__(self, wanted: Collection[int], change: Callable[[Value], Value]) -> None:
        self._wanted = wanted
        self._change = change
        self._done: dict[int, tuple[Value, Value]] = {}

    def within(self, value: Value, depth: int = 0) -> Value:
        """Return a value with the change made; the value itself if nothing inside it changes."""
        if not isinstance(value, Items | Table | Either | Asked | Partial | Function):
            return value
        if depth > _DEEPEST:
            return Unknown(value.where, "nested too deeply", results_in(value))
        if id(value) not in self._done:
            self._done[id(value)] = value, self._parts(value, depth + 1)
        return self._done[id(value)][1]

    def _parts(self, value: Value, depth: int) -> Value:  # noqa: PLR0911 - one way out for each kind
        if isinstance(value, Items):
            items = self._each(value.items, depth)
            inner = value if items is value.items else replace(value, items=items)
            return self._change(inner) if value.identity in self._wanted else inner
        if isinstance(value, Table):
            pairs = self._pairs(value.items, depth)
            table = value if pairs is value.items else replace(value, items=pairs)
            return self._change(table) if value.identity in self._wanted else table
        if isinstance(value, Either):
            options = self._each(value.options, depth)
            return (
                value
                if options is value.options
                else either(options, value.where, decided=value.decided, only_if=value.only_if)
            )
        if isinstance(value, Asked):
            default = self.within(value.value, depth)
            return value if default is value.value else replace(value, value=default)
        if isinstance(value, Partial):
            positional, named = self._each(value.positional, depth), self._pairs(value.named, depth)
            same = positional is value.positional and named is value.named
            return value if same else replace(value, positional=positional, named=named)
        if isinstance(value, Function):
            defaults = self._pairs(value.defaults, depth)
            return value if defaults is value.defaults else replace(value, defaults=defaults)
        return value

    def _each(self, values: tuple[Value, ...], depth: int) -> tuple[Value, ...]:
        made = tuple(self.within(value, depth) for value in values)
        return values if all(new is old for new, old in zip(made, values, strict=True)) else made

    def _pairs(self, pairs: tuple[tuple[_Name, Value], ...], depth: int) -> tuple[tuple[_Name, Value], ...]:
        made = tuple((name, self.within(value, depth)) for name, value in pairs)
        same = all(new[1] is old[1] for new, old in zip(made, pairs, strict=True))
        return pairs if same else made
