"""Lists and dicts as expressions: displays, what iterates over them, and values taken as keyword arguments."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Absent,
    Asked,
    Attribute,
    Class,
    Either,
    Items,
    Key,
    Known,
    LoadedFile,
    Object,
    Table,
    Unknown,
    Value,
    alternatives,
    constants,
    containers,
    either,
    keys,
    may_be_absent,
)

_MOST_CHARACTERS = 64
"""Characters of a text whose single characters a loop goes through."""


def list_display(state: State, node: ast.List | ast.Tuple | ast.Set) -> Items:
    """Evaluate `[...]`, `(...)`, or the items of `{...}`."""
    items: list[Value] = []
    is_open = False
    for item in node.elts:
        value = state.evaluate(item)
        if not isinstance(item, ast.Starred):
            items.append(value)
        elif isinstance(value, Items) and isinstance(state.within_memory(value, item), Items):
            items.extend(value.items)
            is_open |= value.open
        else:
            is_open = True
    identity = 0 if isinstance(node, ast.Tuple) else state.heap.identity()
    return Items(state.where(node), tuple(items), is_open, identity)


def set_display(state: State, node: ast.Set) -> Value:
    """Evaluate `{1, 2}`."""
    return constants.distinct(list_display(state, node))


def dict_display(state: State, node: ast.Dict) -> Value:
    """Evaluate `{"key": value, **others}`."""
    where = state.where(node)
    items: dict[Key, Value] = {}
    is_open = False
    for key, item in zip(node.keys, node.values, strict=True):
        value = state.evaluate(item)
        name = keys.key_of(state.evaluate(key)) if key is not None else None
        if isinstance(name, Known):
            items[name.value] = value
            continue
        unknown = Unknown(state.where(item), state.words(item))
        other = as_table(state, value) if name is None else Table(where, (), open=True)
        if not isinstance(state.within_memory(other, item), Table):
            other = Table(where, (), open=True)
        made = containers.merged(Table(where, tuple(items.items()), is_open), other, unknown)
        state.budget.has_room(made)
        items, is_open = dict(made.items), made.open
    return Table(where, tuple(items.items()), is_open, state.heap.identity())


def as_table(state: State, value: Value) -> Table:
    """Return a value as keyword arguments; anything but a dict is an open table."""
    if isinstance(value, Table):
        return value
    if isinstance(value, Either):
        return _joined_tables([as_table(state, option) for option in value.options], value)
    if isinstance(value, Attribute) and value.name == "config" and isinstance(value.owner, Object):
        fields = state.heap.cell(value.owner.cell)
        kept = {name.removeprefix("config."): fields[name] for name in fields if name.startswith("config.")}
        return Table(value.where, tuple(kept.items()))
    if isinstance(value, Attribute) and value.name == "components" and isinstance(value.owner, Object):
        return Table(value.where, (("__pipeline__", value.owner),))
    if isinstance(value, Object) and value.kind in {"namespace", "instance"}:
        return Table(value.where, tuple(state.heap.cell(value.cell).items()))
    return Table(value.where, (), open=True)


def _joined_tables(tables: list[Table], value: Either) -> Table:
    names = dict.fromkeys(name for table in tables for name, _ in table.items)
    items = [
        (name, either([table.get(name) or Absent(table.where) for table in tables], value.where,
                      decided=value.decided, only_if=value.only_if))
        for name in names
    ]  # fmt: skip
    return Table(value.where, tuple(items), any(table.open for table in tables))


def with_identity(state: State, value: Value) -> Value:
    """Return a new list or dict with an identity; any other value as it is."""
    if any(isinstance(one, Items | Table) and not one.identity for one in alternatives(value)):
        return containers.copied(value, state.heap.identity)
    return value


def items_of(state: State, values: Value) -> Items | None:  # noqa: PLR0911 - one way out for each kind
    """Return what a loop over a value goes through: items, keys, members, characters; None if that is unknown."""
    where = values.where
    if isinstance(values, Asked):
        return items_of(state, values.value)
    if isinstance(values, Items):
        return values
    if isinstance(values, Table):
        sure = [key for key, value in values.items if not may_be_absent(value) and not keys.is_unknown(key)]
        is_open = values.open or len(sure) < len(values.items)
        return Items(where, tuple(keys.value_of(key, where) for key in sure), is_open)
    if isinstance(values, LoadedFile):
        return None
    if isinstance(values, Known) and isinstance(values.value, str) and len(values.value) <= _MOST_CHARACTERS:
        return Items(where, tuple(Known(where, sign) for sign in values.value))
    if isinstance(values, Class):
        members = [one for one in state.heap.cell(values.cell).values() if isinstance(one, Object)]
        return Items(where, tuple(one for one in members if one.kind == "member")) if members else None
    return None


def element_of(state: State, values: Value, node: ast.expr) -> Value:
    """Return the value of the target of a loop over `values`."""
    items = items_of(state, values)
    values = values if items is None else items
    if isinstance(values, Items) and values.items:
        return either([*values.items, *([state.unknown(node)] if values.open else [])], values.where)
    if isinstance(values, Either):
        return either(
            [element_of(state, option, node) for option in values.options],
            values.where,
            decided=values.decided,
            only_if=values.only_if,
        )
    return state.unknown_item(node, values)
