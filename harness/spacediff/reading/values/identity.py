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
    Attribute,
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

_MAY_HOLD = frozenset({Items, Table, Either, Asked, Partial, Function})
"""Kinds of value inside which a list or dict is changed."""
_PASSED_THROUGH = _MAY_HOLD | {Attribute}
"""Kinds of value inside which a list or dict is found."""
_VALUES_PER_JOIN = 64
"""Values that are looked at in the time for joining the alternatives of one."""
_PLAIN_PER_HOLDER = 8
"""Plain values, such as constants, that are passed over in the time for one that may hold others."""

_Name = TypeVar("_Name")


def identities(values: Iterable[Value], count: Callable[[int], None] = lambda _: None) -> set[int]:
    """Return the identities of all lists and dicts inside values; `count` receives how many values were looked at."""
    found: set[int] = set()
    seen: set[int] = set()
    looked_at = 0
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Items | Table) and value.identity:
            found.add(value.identity)
        parts = inside(value)
        looked_at += len(parts) // _PLAIN_PER_HOLDER
        waiting.extend(part for part in parts if type(part) in _PASSED_THROUGH)
    count(len(seen) + looked_at)
    return found


def occurrences(value: Value, identity: int, count: Callable[[int], None]) -> list[Items | Table]:
    """Return the lists and dicts of an identity inside a value; several if branches left different contents."""
    found: list[Items | Table] = []
    seen: set[int] = set()
    waiting: list[Value] = [value]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen and type(one) in _MAY_HOLD:
            seen.add(id(one))
            if isinstance(one, Items | Table) and one.identity == identity:
                found.append(one)
            waiting.extend(_holders(one))
    count(len(seen))
    return found


def _holders(value: Value) -> list[Value]:
    """Return the values inside a value that may hold lists and dicts; those of a function are its defaults."""
    parts = [inner for _, inner in value.defaults] if isinstance(value, Function) else inside(value)
    return [part for part in parts if type(part) in _MAY_HOLD]


class Places:
    """Where lists and dicts may be found: the cells and names that ever held them, in any copy of the heap."""

    def __init__(self) -> None:
        self._of: dict[int, dict[tuple[int, str], None]] = {}

    def remember(self, cell: int, name: str, value: Value) -> int:
        """Remember the lists and dicts inside a value as found under a name; return how many values were looked at."""
        if type(value) not in _MAY_HOLD:
            return 0
        seen: set[int] = set()
        looked_at = 0
        waiting: list[Value] = [value]
        while waiting:
            one = waiting.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            if isinstance(one, Items | Table) and one.identity:
                self._of.setdefault(one.identity, {})[cell, name] = None
            waiting.extend(_holders(one))
            looked_at += len(one.items) // _PLAIN_PER_HOLDER if isinstance(one, Items | Table) else 0
        return len(seen) + looked_at

    def of(self, identities: Iterable[int]) -> list[tuple[int, str]]:
        """Return the cells and names under which any of some lists and dicts may be found."""
        return list({place: None for identity in sorted(identities) for place in self._of.get(identity, ())})


class Change:
    """A change of the lists and dicts with given identities, wherever they are; each is changed once.

    Attributes:
        visited: How many values were looked at so far.
    """

    def __init__(self, wanted: Collection[int], change: Callable[[Value], Value]) -> None:
        self._wanted = wanted
        self._change = change
        self._done: dict[int, tuple[Value, Value]] = {}
        self.visited = 0

    def within(self, value: Value, depth: int = 0) -> Value:
        """Return a value with the change made; the value itself if nothing inside it changes."""
        self.visited += 1
        if type(value) not in _MAY_HOLD:
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
            self.visited += 0 if options is value.options else _VALUES_PER_JOIN
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
        self.visited += len(values) // _PLAIN_PER_HOLDER
        made = tuple(self.within(value, depth) if type(value) in _MAY_HOLD else value for value in values)
        return values if all(new is old for new, old in zip(made, values, strict=True)) else made

    def _pairs(self, pairs: tuple[tuple[_Name, Value], ...], depth: int) -> tuple[tuple[_Name, Value], ...]:
        self.visited += len(pairs) // _PLAIN_PER_HOLDER
        made = tuple(
            (name, self.within(value, depth)) if type(value) in _MAY_HOLD else (name, value) for name, value in pairs
        )
        same = all(new[1] is old[1] for new, old in zip(made, pairs, strict=True))
        return pairs if same else made
