"""Classes of the source: where Python looks for a member, what binds a method, and `super()`."""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Absent,
    Arguments,
    Attribute,
    Class,
    External,
    Function,
    Object,
    Super,
    Value,
)

_MOST_ANCESTORS = 64


def ancestors(made: Class) -> list[Class | External]:
    """Return a class and those that it inherits from, in the order in which Python looks through them.

    A class that is inherited on several ways comes after the last of those that inherit from it.
    """
    found: list[Class | External] = []
    waiting: list[Value] = [made]
    for _ in range(_MOST_ANCESTORS):
        if not waiting:
            break
        one = waiting.pop(0)
        if isinstance(one, Class | External):
            found.append(one)
        if isinstance(one, Class):
            waiting[:0] = one.bases
    last = {_identifier(one): place for place, one in enumerate(found)}
    return [one for place, one in enumerate(found) if last[_identifier(one)] == place]


def _identifier(one: Class | External) -> int | str:
    return one.cell if isinstance(one, Class) else one.name


def library_bases(made: Class) -> list[str]:
    """Return the dotted names of the library's classes that a class inherits from, the nearest first."""
    return [one.name for one in ancestors(made) if isinstance(one, External)]


def member(state: State, made: Class, name: str, *, after: int | None = None) -> Value | None:
    """Return what a class or the nearest of its ancestors in the source has under a name; None if none has it.

    Args:
        state: What follows the source.
        made: The class.
        name: The member.
        after: The cell of a class; only those that follow it are looked at.
    """
    order = ancestors(made)
    cells = [one.cell if isinstance(one, Class) else None for one in order]
    start = cells.index(after) + 1 if after in cells and after is not None else 0
    for one in order[start:]:
        found = state.heap.cell(one.cell).get(name) if isinstance(one, Class) else None
        if found is not None and not isinstance(found, Absent):
            return found
    return None


def attribute_of_class(state: State, owner: Class, name: str, node: ast.AST) -> Value:
    """Return an attribute of a class; what no class of the source has is that of the library it inherits from."""
    found = member(state, owner, name)
    if found is not None:
        return with_first_argument(found, owner) if _is_kind(found, "classmethod") else found
    bases = library_bases(owner)
    if not bases:
        return state.unknown(node)
    if name.startswith("from_"):  # it creates an instance of this class
        return Attribute(owner.where, owner, name)
    return External(owner.where, f"{bases[0]}.{name}")


def attribute_through_class(state: State, owner: Object, made: Class, name: str, node: ast.AST) -> Value:
    """Return an attribute that an object has from its class."""
    found = member(state, made, name)
    if found is not None:
        return bound(state, found, owner, made, node)
    return Attribute(owner.where, owner, name)


def bound(state: State, found: Value, owner: Value, made: Class, node: ast.AST) -> Value:
    """Return a member of a class as an attribute of its instance: a method is bound, a property is computed."""
    if not isinstance(found, Function) or found.kind == "staticmethod":
        return found
    if found.kind == "classmethod":
        return with_first_argument(found, made)
    method = with_first_argument(found, owner)
    return state.call(method, Arguments([], {}), node) if found.kind == "property" else method


def _is_kind(value: Value, kind: str) -> bool:
    return isinstance(value, Function) and value.kind == kind


def with_first_argument(value: Value, first: Value) -> Value:
    """Return a function whose first argument is bound."""
    if not isinstance(value, Function):
        return value
    positional, named = value.given
    return replace(value, given=((first, *positional), named))


def super_of(state: State, node: ast.AST) -> Value:
    """Return `super()` in a method: its attributes are those of the classes after the one that defines the method."""
    frame = next((one for one in reversed(state.frames) if one.function is not None and one.function.given[0]), None)
    if frame is None or frame.function is None:
        return state.unknown(node)
    owner = frame.function.given[0][0]
    return Super(state.where(node), owner, frame.function.scopes[0])


def attribute_of_super(state: State, owner: Super, name: str, node: ast.AST) -> Value:
    """Return `super().name`."""
    target = owner.owner
    made = state.get(target, "__class__") if isinstance(target, Object) else target
    if not isinstance(made, Class):
        return state.unknown(node)
    found = member(state, made, name, after=owner.after)
    if found is not None:
        return bound(state, found, target, made, node)
    bases = library_bases(made)
    if isinstance(target, Object) and target.kind != "instance":
        return Attribute(state.where(node), target, name)
    return External(state.where(node), f"{bases[0] if bases else 'object'}.{name}")
