"""What a call does to what others hold: lists and dicts that are changed, names that are set by their text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers import names
from spacediff.reading.values import containers
from spacediff.reading.values.kinds import (
    Arguments,
    Asked,
    Either,
    External,
    Function,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    either,
    inside,
)

_WORD = re.compile(r"[^\W\d]\w*")


def change(state: State, owner: Value, target: ast.expr, how: Callable[[Value], Value]) -> None:
    """Change a list or dict in place, under every name it has; what may be the one that is changed keeps both.

    Args:
        state: What follows the source.
        owner: What is changed.
        target: How the source names it, for what has no identity.
        how: Gives the changed list or dict.
    """
    options = owner.options if isinstance(owner, Either) else (owner,)
    held = [option for option in options if isinstance(option, Items | Table)]
    identities = {option.identity for option in held} - {0}
    count = len({option.identity for option in held})
    sure = count == 1 and len(held) == len(options)

    def changed(value: Value) -> Value:
        made = how(value)
        if identities & containers.identities(inside(made)):  # it holds itself, without end
            made = containers.spoiled(value, state.unknown(target))
        return made if sure or made is value else either([value, made], state.where(target))

    if any(not option.identity for option in held):
        parts = [changed(option) if option in held else option for option in options]
        state.assign(target, either(parts, owner.where, decided=isinstance(owner, Either) and owner.decided))
    if identities:
        _touch(state, identities)
        state.heap.change(identities, changed)


def _touch(state: State, identities: set[int]) -> None:
    """Remember what a loop's body changes."""
    if state.touched:
        state.touched[-1] |= identities


def change_by_method(state: State, owner: Value, target: ast.expr, name: str, arguments: Arguments) -> None:
    """Change a list or dict as a method of its own does."""
    options = owner.options if isinstance(owner, Either) else (owner,)
    if not containers.changes(name) or not any(isinstance(option, Items | Table) for option in options):
        return
    unknown = state.unknown(target)

    def how(value: Value) -> Value:
        again = isinstance(value, Items | Table) and state.is_repeated(value.identity)
        return containers.changed(value, name, arguments, unknown, state.as_table, again=again)

    change(state, owner, target, how)


def let_go(state: State, name: str, arguments: Arguments, node: ast.AST) -> None:
    """Know no more what lists and dicts hold that were given to something foreign, which may change them."""
    if names.last(name) in names.CHANGE_NOTHING or name.split(".", 1)[0] in names.KEEP_ARGUMENTS:
        return
    identities = containers.identities(arguments.every())
    if identities:
        _touch(state, identities)
        unknown = state.unknown(node)
        state.heap.change(identities, lambda value: containers.spoiled(value, unknown))


def call_library(state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return what `exec`, `globals` and the like give, after what they change; None for anything else."""
    where = state.where(node)
    if function.name == "exec":
        first = arguments.get("", 0)
        text = first.value if isinstance(first, Known) and isinstance(first.value, str) else None
        for cell in {state.frame.scopes[0], state.frame.scopes[-1]}:
            forget(state, cell, node, None if text is None else set(_WORD.findall(text)))
        return Known(where, None)
    if arguments.every() or function.name not in {"globals", "locals", "vars"}:
        return None
    if function.name == "globals" or len(state.frame.scopes) == 1:
        return Object(where, "namespace", state.frame.scopes[-1])
    return Table(where, tuple(state.heap.cell(state.frame.scopes[0]).items()))


def forget(state: State, cell: int, node: ast.AST, only: set[str] | None = None) -> None:
    """Know no more what names hold that something may have set: those of `only`, or all that hold plain values."""
    for name, value in list(state.heap.cell(cell).items()):
        if name in only if only is not None else _is_plain(value):
            kept = [value] if isinstance(value, Function | Object) else []
            state.heap.put(cell, name, either([*kept, state.unknown(node)], state.where(node)))


def _is_plain(value: Value) -> bool:
    options = value.options if isinstance(value, Either) else (value,)
    return any(isinstance(option, Known | Asked | Items | Table) for option in options)


def set_item(state: State, target: ast.Subscript, owner: Value, key: Value | None, value: Value) -> None:
    """Set an item of a list or dict; what holds its items otherwise is the caller's."""
    unknown = replace(state.unknown(target, value), text=state.words(target))
    change(state, owner, target.value, lambda held: containers.with_item_set(held, key, value, unknown))


def delete_item(state: State, target: ast.Subscript, owner: Value, key: Value | None) -> None:
    """Take an item out of a list or dict."""
    unknown: Unknown = state.unknown(target)
    change(state, owner, target.value, lambda held: containers.without_item(held, key, unknown))
