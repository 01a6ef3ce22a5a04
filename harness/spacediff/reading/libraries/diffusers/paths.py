"""Settings of a value that is one of several: each path with its alternatives."""

from __future__ import annotations

import re
from collections.abc import Callable

from spacediff.reading.values import (
    Absent,
    Either,
    Table,
    Value,
    alternatives,
    conditions_of,
    either,
    lift,
)

Paths = dict[str, Value]
"""Dotted path of a setting to its value."""

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 58


def name_in_a_path(name: str) -> str:
    """Return a name of the source as a part of a path that a scenario takes; empty if nothing is left of it."""
    found = _NOT_IN_A_NAME.sub("-", name).strip("-_")[:_LONGEST_NAME]
    return f"{found}-one" if found == "order" else found  # a key beside the names of adapters


def each_path(value: Value | None, paths_of: Callable[[Value], Paths | None], where: str) -> Paths:
    """Return the paths of a value; if it is one of several, with the alternatives of each path.

    Args:
        value: The value.
        paths_of: Returns the paths of one alternative; None if it is not of the kind that has some.
        where: File and line of a path that an alternative lacks.
    """
    each: list[Paths] = []
    only_if: list[str] = []
    for option, condition in zip(alternatives(value), conditions_of(value), strict=True):
        found = paths_of(option) if option is not None else None
        if found is not None:
            each.append(found)
            only_if.append(condition)
    decided = isinstance(value, Either) and value.decided
    return {
        path: either([found.get(path) or Absent(where) for found in each], where, decided=decided, only_if=only_if)
        for path in dict.fromkeys(path for found in each for path in found)
    }


def with_alternatives_outside(table: Table) -> Value:
    """Return a dict with alternatives inside as alternatives of dicts, of which the usual one can be a setting."""
    places = [place for place, (_, value) in enumerate(table.items) if isinstance(value, Either)]
    if not places:
        return table

    def made(*chosen: Value) -> Value:
        items = list(table.items)
        for place, value in zip(places, chosen, strict=True):
            items[place] = (items[place][0], value)
        return Table(table.where, tuple(items), table.open)

    return lift(made, [table.items[place][1] for place in places])
