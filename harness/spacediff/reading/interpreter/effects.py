"""Side effects: lists and dicts that a statement or a call changes, and names that something unknown may have set."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from spacediff.reading.interpreter.displays import as_table
from spacediff.reading.interpreter.harmless import CHANGE_NOTHING, KEEP_ARGUMENTS
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    Asked,
    Either,
    Function,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    alternatives,
    containers,
    either,
    inside,
    last_part,
)
from spacediff.reading.values.identity import identities


def change(state: State, owner: Value, target: ast.expr, how: Callable[[Value], Value]) -> None:
    """Change a list or dict in place, under every name that it has.

    If it is not certain which of several is changed, each keeps its contents before and after as alternatives.

    Args:
        state: What follows the source.
        owner: What is changed.
        target: The expression for it, which is assigned if it has no identity.
        how: Returns the changed list or dict.
    """
    options = alternatives(owner)
    changeable = [option for option in options if isinstance(option, Items | Table)]
    changed_ones = {option.identity for option in changeable} - {0}
    count = len({option.identity for option in changeable})
    sure = count == 1 and len(changeable) == len(options)

    def changed(value: Value) -> Value:
        made = how(value)
        if not state.budget.has_room(made):
            state.cut(target)
            made = containers.with_unknown_contents(value, state.unknown(target))
        if changed_ones & identities(inside(made)):  # it would contain itself
            made = containers.with_unknown_contents(value, state.unknown(target))
        return made if sure or made is value else either([value, made], state.where(target))

    if any(not option.identity for option in changeable):
        parts = [changed(option) if isinstance(option, Items | Table) else option for option in options]
        state.assign(target, either(parts, owner.where, decided=isinstance(owner, Either) and owner.decided))
    if changed_ones:
        _note_change(state, changed_ones)
        state.heap.change(changed_ones, changed)


def _note_change(state: State, changed: set[int]) -> None:
    """Remember what the body of a loop changes."""
    if state.changed_in_loop:
        state.changed_in_loop[-1] |= changed


def change_by_method(state: State, owner: Value, target: ast.expr, name: str, arguments: Arguments) -> None:
    """Change a list or dict as one of its methods does."""
    if not containers.may_change(name) or not any(isinstance(one, Items | Table) for one in alternatives(owner)):
        return
    unknown = state.unknown(target)

    def how(value: Value) -> Value:
        repeated = isinstance(value, Items | Table) and state.is_repeated(value.identity)
        return containers.after_method(value, name, arguments, unknown, partial(as_table, state), repeated=repeated)

    change(state, owner, target, how)


def call_unknown(state: State, name: str, function: Value, arguments: Arguments, node: ast.AST) -> Unknown:
    """Return the result of a function that is not known; lists and dicts that it is given may have changed.

    Args:
        state: What follows the source.
        name: Its dotted name, as far as it has one.
        function: The function, or the owner of the method.
        arguments: The arguments of the call.
        node: The call.
    """
    given = [one.holds if isinstance(one, Unknown) else one for one in arguments.every()]
    pipelines = [one for one in given if isinstance(one, Object) and one.kind == "pipeline"]
    may_change = last_part(name) not in CHANGE_NOTHING and name.partition(".")[0] not in KEEP_ARGUMENTS
    if may_change and _is_statement(state, node):  # what is called for its result hardly changes its arguments
        _forget_contents(state, arguments, node)
    return replace(
        state.unknown(node, function, *arguments.every()), holds=pipelines[0] if len(pipelines) == 1 else None
    )


def _is_statement(state: State, node: ast.AST) -> bool:
    """Return whether a call stands by itself, so that its result is not used."""
    statement = state.frame.statement
    value = statement.value if isinstance(statement, ast.Expr) else None
    return (value.value if isinstance(value, ast.Await) else value) is node


def _forget_contents(state: State, arguments: Arguments, node: ast.AST) -> None:
    """Make the contents of all lists and dicts in the arguments unknown."""
    given = identities(arguments.every(), state.budget.spend_on_looks)
    if given:
        _note_change(state, given)
        unknown = state.unknown(node)
        state.heap.change(given, lambda value: containers.with_unknown_contents(value, unknown))


def make_unknown(state: State, cell: int, node: ast.AST, only: set[str] | None = None) -> None:
    """Make names of a cell unknown: those in `only`, or all that hold constants, lists, dicts or inputs."""
    for name, value in list(state.heap.cell(cell).items()):
        if name in only if only is not None else _is_plain(value):
            kept = [value] if isinstance(value, Function | Object) else []
            state.heap.put(cell, name, either([*kept, state.unknown(node)], state.where(node)))


def _is_plain(value: Value) -> bool:
    return any(isinstance(option, Known | Asked | Items | Table) for option in alternatives(value))


def set_item(
    state: State, target: ast.Subscript | ast.Attribute, owner: Value, key: Value | None, value: Value
) -> None:
    """Follow `owner[key] = value` for a list or dict; other owners are left to the caller."""
    unknown = replace(state.unknown(target, value), text=state.words(target))
    change(state, owner, target.value, lambda stored: containers.with_item_set(stored, key, value, unknown))


def delete_item(state: State, target: ast.Subscript, owner: Value, key: Value | None) -> None:
    """Follow `del owner[key]` for a list or dict."""
    unknown: Unknown = state.unknown(target)
    change(state, owner, target.value, lambda stored: containers.without_item(stored, key, unknown))
