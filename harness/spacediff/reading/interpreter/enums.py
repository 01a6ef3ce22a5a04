"""Classes of the source that inherit from `Enum`: each member is an object with a name and a value."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.classes import library_bases
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    Class,
    Function,
    Known,
    Object,
    Value,
    last_part,
    lift,
)

_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})
_MIXED_IN = frozenset({"IntEnum", "StrEnum", "IntFlag", "str", "int", "float"})
"""Bases whose members are equal to their values, and so are constants here."""


def is_enum(made: Class) -> bool:
    """Return whether a class inherits from `Enum`."""
    return any(last_part(name) in _ENUMS for name in library_bases(made))


def make_members(state: State, made: Class) -> None:
    """Replace the constants in the body of an `Enum` by its members."""
    if not is_enum(made) or any(last_part(name) in _MIXED_IN for name in library_bases(made)):
        return
    for name, value in list(state.heap.cell(made.cell).items()):
        if not name.startswith("_") and not isinstance(value, Function | Class):
            fields = {"name": Known(value.where, name), "value": value, "__class__": made}
            state.heap.put(made.cell, name, Object(value.where, "member", state.heap.new(fields)))


def member_of_value(state: State, made: Class, arguments: Arguments, node: ast.AST) -> Value:
    """Return the result of `Mode(value)`."""
    first = arguments.get("value", 0)
    return lift(lambda one: _found(state, made, one, node), [first]) if first is not None else state.unknown(node)


def _found(state: State, made: Class, value: Value, node: ast.AST) -> Value:
    for member in state.heap.cell(made.cell).values():
        own = state.get(member, "value") if isinstance(member, Object) else member
        if isinstance(own, Known) and isinstance(value, Known) and own.value == value.value:
            return member
    return state.unknown(node, value)
