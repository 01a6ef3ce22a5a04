"""Attributes and items of values."""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.reading.interpreter import classes
from spacediff.reading.interpreter.state import State, present
from spacediff.reading.values import (
    Absent,
    Arguments,
    Asked,
    Attribute,
    Class,
    Either,
    External,
    Function,
    Items,
    Known,
    Module,
    Object,
    Super,
    Table,
    Unknown,
    Value,
    constants,
    either,
    keys,
    lift,
    part_around,
)

_METHODS_OF_DICTS = frozenset(dir(dict))


def attribute(state: State, owner: Value, name: str, node: ast.AST) -> Value:  # noqa: PLR0911 - one way out for each kind
    """Return an attribute of a value; an attribute of an unknown value is unknown too."""
    if isinstance(owner, Either):
        kept = [place for place, option in enumerate(owner.options) if not _is_none(option)]
        return either(
            [state.attribute(owner.options[place], name, node) for place in kept],
            owner.where,
            decided=owner.decided and 0 in kept,
            only_if=[owner.conditions[place] for place in kept],
        )
    if isinstance(owner, External):
        return External(state.where(node), f"{owner.name}.{name}")
    if isinstance(owner, Module):
        return state.heap.cell(owner.cell).get(name) or state.unknown(node)
    if isinstance(owner, Class):
        return classes.attribute_of_class(state, owner, name, node)
    if isinstance(owner, Super):
        return classes.attribute_of_super(state, owner, name, node)
    if isinstance(owner, Function):
        return _attribute_of_function(state, owner, name, node)
    if isinstance(owner, Object):
        return _attribute_of_object(state, owner, name, node)
    if isinstance(owner, Table) and name not in _METHODS_OF_DICTS and (item := owner.get(name)) is not None:
        return present(item) or state.unknown(node)  # a dict whose items are attributes too, such as an `EasyDict`
    asked = isinstance(owner, Known | Asked) or (isinstance(owner, Unknown) and owner.holds is not None)
    computed = state.libraries.attribute(state, owner, name, node) if asked else None
    if computed is not None:
        return computed
    return Attribute(owner.where if isinstance(owner, Unknown | Asked) else state.where(node), owner, name)


def _attribute_of_function(state: State, owner: Function, name: str, node: ast.AST) -> Value:
    stored = state.heap.cell(owner.cell).get(name) if owner.cell else None
    kept = present(stored) if stored is not None else None
    if kept is not None:
        return kept
    return Known(state.where(node), owner.name) if name == "__name__" else Attribute(state.where(node), owner, name)


def _attribute_of_object(state: State, owner: Object, name: str, node: ast.AST) -> Value:
    stored = state.get(owner, name)
    if stored is not None and not isinstance(stored, Absent):
        return present(stored) or stored
    computed = state.libraries.attribute(state, owner, name, node)
    if computed is not None:
        return computed
    kind = state.get(owner, "__class__")
    if isinstance(kind, Class):
        return classes.attribute_through_class(state, owner, kind, name, node)
    return Attribute(state.where(node), owner, name)


def _is_none(value: Value) -> bool:
    return isinstance(value, Absent) or (isinstance(value, Known) and value.value is None)


def attribute_expression(state: State, node: ast.Attribute) -> Value:
    """Evaluate `owner.name`."""
    return state.attribute(state.evaluate(node.value), node.attr, node)


def subscript(state: State, node: ast.Subscript) -> Value:
    """Evaluate `owner[key]` and `owner[start:end]`."""
    owner = state.evaluate(node.value)
    if isinstance(node.slice, ast.Slice):
        bounds = [state.evaluate(one) for one in (node.slice.lower, node.slice.upper, node.slice.step)]
        state.libraries.on_sliced(state, owner, bounds, node)
        otherwise = owner if isinstance(owner, Unknown) else state.unknown_item(node, owner)
        return lift(lambda *values: constants.sliced(values[0], values[1:], otherwise), [owner, *bounds])
    key = keys.key_of(state.evaluate(node.slice))
    if isinstance(owner, Asked | Attribute):
        found = state.libraries.item(state, owner, key, node)
        if found is not None:
            return found
    return lift(lambda value, name: _item_of(state, value, name, node), [owner, key])


def _item_of(state: State, owner: Value, key: Value, node: ast.expr) -> Value:  # noqa: PLR0911 - one way out for each kind
    if isinstance(owner, Table):
        if isinstance(key, Known):
            found = owner.get(key.value)
            return (present(found) if found is not None else None) or state.unknown(node)
        token = keys.token_of_unknown(key)
        first = owner.get(token) if token is not None else None
        if first is not None:
            return either([first, *_other_items(state, owner, node)], state.where(node))
        words = state.words(node.slice) if isinstance(node, ast.Subscript) else ""
        only_if = [f"{words} == {keys.shown(name)}" if words else "" for name, _ in owner.items]
        others = _other_items(state, owner, node)
        return either(
            [*(value for _, value in owner.items), *others],
            state.where(node),
            only_if=[*only_if, *("" for _ in others)],
        )
    if isinstance(owner, Items):
        if isinstance(key, Known) and isinstance(key.value, int) and not owner.open:
            return owner.items[key.value] if -len(owner.items) <= key.value < len(owner.items) else state.unknown(node)
        return either([*owner.items, *_other_items(state, owner, node)], state.where(node))
    if isinstance(owner, External):
        return state.libraries.item(state, owner, key, node) or state.unknown(node, owner, key)
    if isinstance(owner, Object) and isinstance(key, Known):
        return _item_of_object(state, owner, key, node)
    if isinstance(owner, Class) and isinstance(key, Known):  # a member of an `Enum`
        return state.heap.cell(owner.cell).get(str(key.value)) or state.unknown(node)
    if isinstance(owner, Known) and isinstance(owner.value, str) and isinstance(key, Known):
        return constants.character(owner, key, state.unknown(node))
    unknown = replace(state.unknown(node, owner, key), inside_of=part_around(owner))
    is_clip = isinstance(owner, Attribute) and owner.name == "frames" and isinstance(key, Known) and key.value == 0
    return replace(unknown, clip=unknown.results[0]) if is_clip and unknown.results else unknown


def _item_of_object(state: State, owner: Object, key: Known, node: ast.expr) -> Value:
    """Return `owner[key]` for an object: by its class, by the order of its fields, or as an attribute."""
    made = state.get(owner, "__class__")
    if isinstance(made, Class):
        method = classes.member(state, made, "__getitem__")
        if isinstance(method, Function):
            return state.call(classes.with_first_argument(method, owner), Arguments([key], {}), node)
        if isinstance(key.value, int) and -len(made.fields) <= key.value < len(made.fields):
            return state.attribute(owner, made.fields[key.value], node)
    return state.attribute(owner, str(key.value), node)


def _other_items(state: State, owner: Table | Items, node: ast.expr) -> list[Value]:
    return [state.unknown(node)] if owner.open or not owner.items else []
