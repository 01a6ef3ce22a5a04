"""Bindings: names, attributes, items, unpacking, deletion."""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.reading.interpreter import effects
from spacediff.reading.interpreter.displays import items_of
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Absent,
    Arguments,
    Class,
    Either,
    Function,
    Items,
    Known,
    Module,
    Object,
    Table,
    Unknown,
    Value,
    alternatives,
    either,
)


def assign(state: State, target: ast.expr, value: Value) -> None:
    """Bind a name, an attribute, an item, or several of them."""
    state.budget.spend()
    if isinstance(target, ast.Name):
        state.heap.put(scope_of(state, target.id), target.id, value)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(state, target.elts, value)
    elif isinstance(target, ast.Starred):
        state.assign(target.value, value)
    elif isinstance(target, ast.Attribute):
        _set_attribute(state, state.evaluate(target.value), target.attr, value, target)
    elif isinstance(target, ast.Subscript):
        _set_item(state, target, value)


def scope_of(state: State, name: str) -> int:
    """Return the cell that an assignment to a name writes to."""
    if name in state.frame.globals_:
        return state.frame.scopes[-1]
    if name in state.frame.nonlocals:
        return next((cell for cell in state.frame.scopes[1:] if name in state.heap.cell(cell)), state.frame.scopes[0])
    return state.frame.scopes[0]


def _unpack(state: State, targets: list[ast.expr], value: Value) -> None:
    if isinstance(value, Either):
        each = [_columns(state, targets, one) for one in value.options if not isinstance(one, Absent)]
        columns = [column for column in each if column is not None]
        if each and len(columns) == len(value.options):
            for target, options in zip(targets, zip(*columns, strict=True), strict=True):
                joined = either(options, value.where, decided=value.decided, only_if=value.only_if)
                state.assign(target, joined)
            return
    column = _columns(state, targets, value)
    for place, target in enumerate(targets):
        state.assign(target, column[place] if column is not None else _unknown_part(state, target, value))


def _unknown_part(state: State, target: ast.expr, value: Value) -> Value:
    part = state.unknown_item(target, value)
    if not isinstance(value, Unknown) or value.holds is None:
        return part
    return replace(part, holds=value.holds, text=value.text)


def _columns(state: State, targets: list[ast.expr], value: Value) -> list[Value] | None:
    """Return the value for each of several targets; None if it is unknown."""
    items = _fields_of(state, value) or items_of(state, value)
    starred = [place for place, target in enumerate(targets) if isinstance(target, ast.Starred)]
    if items is None or items.open:
        return None
    found = list(items.items)
    if not starred:
        return found if len(found) == len(targets) else None
    before, after = starred[0], len(targets) - starred[0] - 1
    if len(found) < before + after:
        return None
    end = len(found) - after
    rest = Items(items.where, tuple(found[before:end]), identity=state.heap.identity())
    return [*found[:before], rest, *found[end:]]


def _fields_of(state: State, value: Value) -> Items | None:
    """Return the fields of an instance, as the unpacking of a named tuple yields them."""
    made = state.get(value, "__class__") if isinstance(value, Object) and value.kind == "instance" else None
    if not isinstance(value, Object) or not isinstance(made, Class) or not made.fields:
        return None
    return Items(value.where, tuple(state.get(value, name) or state.unknown(ast.Pass()) for name in made.fields))


def _set_attribute(state: State, owner: Value, name: str, value: Value, node: ast.AST) -> None:
    for option in alternatives(owner):
        if isinstance(option, Class | Module) or (isinstance(option, Function) and option.cell):
            state.heap.put(option.cell, name, value)
        elif isinstance(option, Table) and isinstance(node, ast.Attribute):
            effects.set_item(state, node, option, Known(state.where(node), name), value)
        elif not state.libraries.set_attribute(state, option, name, value, node) and isinstance(option, Object):
            state.put(option, name, value)


def _set_item(state: State, target: ast.Subscript, value: Value) -> None:
    owner = state.evaluate(target.value)
    key = state.evaluate(target.slice) if not isinstance(target.slice, ast.Slice) else None
    effects.set_item(state, target, owner, key, value)
    for option in alternatives(owner):
        if isinstance(option, Object) and isinstance(key, Known):
            state.put(option, str(key.value), value)
        elif isinstance(option, Object) and option.kind == "namespace":
            effects.make_unknown(state, option.cell, target)
        else:
            state.libraries.set_item(state, option, key, target)


def augmented_assign(state: State, node: ast.AugAssign) -> None:
    """Follow `target += value`; a list or dict changes in place, under every name that it has."""
    if isinstance(node.op, ast.Add | ast.BitOr) and isinstance(node.target, ast.Name | ast.Attribute):
        current = state.evaluate(_as_expression(node.target))
        if isinstance(current, Items | Table) and current.identity:
            name = "update" if isinstance(current, Table) else "extend"
            effects.change_by_method(state, current, node.target, name, Arguments([state.evaluate(node.value)], {}))
            return
    side = ast.copy_location(ast.BinOp(left=_as_expression(node.target), op=node.op, right=node.value), node)
    state.assign(node.target, state.evaluate(side))


def _as_expression(target: ast.expr) -> ast.expr:
    """Return the target of an augmented assignment as an expression that reads it."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(id=target.id, ctx=ast.Load()), target)
    return target


def delete(state: State, node: ast.Delete) -> None:
    """Follow `del name`, `del owner.name` and `del owner[key]`."""
    for target in node.targets:
        if isinstance(target, ast.Name):
            state.heap.put(scope_of(state, target.id), target.id, Absent(state.where(target)))
        elif isinstance(target, ast.Attribute):
            owner = state.evaluate(target.value)
            state.libraries.on_deleted(state, owner, node)
            for option in alternatives(owner):
                if isinstance(option, Object) and option.kind in {"instance", "namespace"}:
                    state.put(option, target.attr, Absent(state.where(target)))
        elif isinstance(target, ast.Subscript):
            key = state.evaluate(target.slice) if not isinstance(target.slice, ast.Slice) else None
            owner = state.evaluate(target.value)
            state.libraries.on_deleted(state, owner, node)
            effects.delete_item(state, target, owner, key)
