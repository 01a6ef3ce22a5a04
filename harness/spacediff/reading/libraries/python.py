"""Python's own functions: those that compute, copy, look at names, or call something later."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace

from spacediff.reading.interpreter import effects
from spacediff.reading.interpreter.classes import super_of
from spacediff.reading.interpreter.displays import as_table
from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    MOST_OPTIONS,
    Arguments,
    Asked,
    External,
    Function,
    Items,
    Known,
    Object,
    Partial,
    Table,
    Value,
    constants,
    containers,
    lift,
    may_be_absent,
    methods,
)
from spacediff.reading.values.inputs import shown

_COPIES = frozenset({"list", "tuple", "sorted", "set", "copy.copy", "copy.deepcopy"})

_MOST_COPIED = 8
"""Levels of nested lists and dicts that a deep copy copies."""

_MOST_COLUMNS = 8
_WORD = re.compile(r"[^\W\d]\w*")


class ComputingFunctions(Library):
    """Functions such as `int` and `math.ceil` that do nothing but compute a constant from constants."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the result, for each combination of alternatives."""
        if not methods.is_function(function.name) or not arguments.positional or arguments.named:
            return None
        otherwise = state.unknown(node, *arguments.positional)
        if arguments.open:
            return otherwise
        return lift(lambda *values: methods.call_function(function.name, values, otherwise), arguments.positional)


class Namespaces(Library):
    """`exec`, `globals`, `locals` and `vars`, which access names by their text."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a namespace; after `exec`, the names that its text contains are unknown."""
        if function.name == "exec":
            return _executed(state, arguments.get("", 0), node)
        if arguments.every() or function.name not in {"globals", "locals", "vars"}:
            return None
        if function.name == "globals" or len(state.frame.scopes) == 1:
            return Object(state.where(node), "namespace", state.frame.scopes[-1])
        return Table(state.where(node), tuple(state.heap.cell(state.frame.scopes[0]).items()))


class Builtins(Library):
    """Builtin functions of lists, dicts and objects, and the methods of constants, lists and dicts."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the result of a builtin function."""
        copies = isinstance(arguments.get("", 0), Items | Table) and function.name in _COPIES
        if copies or function.name == "dict":
            return _copied(state, function.name, arguments, node)
        builtin = _BUILTINS.get(function.name)
        return builtin(state, arguments, node) if builtin is not None else None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the result of a method of a constant, a list or a dict, or follow `globals().update(...)`."""
        if isinstance(owner, Known | Table | Items | Asked):
            otherwise = state.unknown(node, owner, *arguments.every())
            return lift(lambda one: methods.call_method(one, name, arguments, otherwise), [owner])
        if isinstance(owner, Object) and owner.kind == "namespace" and name == "update":
            return _update_namespace(state, owner, arguments, node)
        return None


class LaterCalls(Library):
    """`functools.partial`, `functools.wraps`, and threads, whose function is called right away."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a function with arguments bound, or what a thread's function returns."""
        if function.last_name == "partial" and arguments.positional:
            return _partial(state, arguments, node)
        if function.last_name == "Thread" and "target" in arguments.named:
            return _thread(state, arguments, node)
        return None

    def decorate(self, state: State, function: Function, decorator: External, node: ast.expr) -> Function | None:
        """Return a function that shows the name and the parameters of the one that it wraps."""
        if decorator.last_name != "wraps" or not isinstance(node, ast.Call) or not node.args:
            return None
        inner = state.evaluate(node.args[0])
        return replace(function, stands_for=inner.stands_for or inner.node) if isinstance(inner, Function) else function


def _executed(state: State, code: Value | None, node: ast.AST) -> Value:
    text = code.value if isinstance(code, Known) and isinstance(code.value, str) else None
    for cell in {state.frame.scopes[0], state.frame.scopes[-1]}:
        effects.make_unknown(state, cell, node, None if text is None else set(_WORD.findall(text)))
    return Known(state.where(node), None)


def _update_namespace(state: State, owner: Object, arguments: Arguments, node: ast.AST) -> Value:
    """Set the names that `globals().update(...)` sets."""
    tables = [as_table(state, value) for value in arguments.positional]
    if arguments.open or any(table.open for table in tables):
        effects.make_unknown(state, owner.cell, node)
    for named in (*(table.named for table in tables), arguments.named):
        for name, value in named.items():
            state.put(owner, name, value)
    return Known(state.where(node), None)


def _len(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    first = arguments.get("", 0)
    if isinstance(first, Known) and isinstance(first.value, str):
        return Known(state.where(node), len(first.value))
    if not isinstance(first, Items | Table) or first.open:
        return None
    items = first.items if isinstance(first, Items) else first.named.values()
    return None if any(may_be_absent(item) for item in items) else Known(state.where(node), len(first.items))


def _getattr(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    owner, name = arguments.get("", 0), arguments.get("", 1)
    if owner is None or name is None:
        return None
    return lift(lambda one: state.attribute(owner, shown(one), node), [name])


def _setattr(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    owner, name, value = (arguments.get("", place) for place in range(3))
    if not isinstance(owner, Object) or name is None or value is None:
        return None
    state.put(owner, shown(name), value)
    return Known(state.where(node), None)


def _vars(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    first = arguments.get("", 0)
    return Table(state.where(node), tuple(state.heap.cell(first.cell).items())) if isinstance(first, Object) else None


def _range(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the numbers of `range(n)`: all if there is at most one, otherwise a list that is open after the first."""
    if len(arguments.positional) != 1:
        return None
    (count,) = arguments.positional
    where = state.where(node)
    if isinstance(count, Known) and isinstance(count.value, int) and count.value <= 1:
        return Items(where, (Known(where, 0),) * max(count.value, 0))
    return Items(where, (Known(where, 0),), open=True)


def _copied(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """Return a copy of a list or dict."""
    first = arguments.get("", 0)
    if name == "dict":
        base = first if isinstance(first, Table) else Table("", (), open=first is not None)
        named = Table(state.where(node), tuple(arguments.named.items()), bool(arguments.open))
        made = containers.merged(Table(state.where(node), base.items, base.open), named, state.unknown(node))
        return containers.copied(made, state.heap.identity)
    if isinstance(first, Items) and name in {"list", "tuple"}:
        return replace(first, identity=0)
    if isinstance(first, Items) and name in {"sorted", "set"}:
        return _in_other_order(name, first, arguments, state.unknown(node))
    if first is None or not name.startswith("copy."):
        return state.unknown(node, *arguments.every())
    return containers.copied(first, state.heap.identity, 0 if name == "copy.copy" else _MOST_COPIED)


def _in_other_order(name: str, items: Items, arguments: Arguments, unknown: Value) -> Value:
    """Return the result of `sorted` or `set` for a list; it is open if the order or the number of items is unknown."""
    if name == "set":
        return replace(constants.distinct(items), identity=0)
    ordered = None if arguments.named else containers.sorted_items(items)
    return replace(ordered or Items(items.where, (*items.items, unknown), open=True), identity=0)


def _enumerate(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    rows = _rows(state, arguments, node)
    if not isinstance(rows, list):
        return rows
    numbered = [(Known(state.where(node), number), *row) for number, row in enumerate(rows)]
    return _as_list(state, numbered, node)


def _zip(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    rows = _rows(state, arguments, node)
    return _as_list(state, rows, node) if isinstance(rows, list) else rows


def _rows(state: State, arguments: Arguments, node: ast.AST) -> list[tuple[Value, ...]] | Value | None:
    """Return what `zip` of the arguments yields; a single unknown row if one of them is not completely known."""
    if arguments.get("", 0) is None:
        return None
    columns = arguments.positional[:_MOST_COLUMNS]
    where = state.where(node)
    closed = [column.items for column in columns if isinstance(column, Items) and not column.open]
    if len(closed) != len(columns):
        return Items(
            where, (Items(where, tuple(state.unknown(node, column) for column in (columns * 2)[:2])),), open=True
        )
    return list(zip(*closed, strict=False))[:MOST_OPTIONS]


def _as_list(state: State, rows: list[tuple[Value, ...]], node: ast.AST) -> Items:
    where = state.where(node)
    return Items(where, tuple(Items(where, row) for row in rows))


def _super(state: State, _: Arguments, node: ast.AST) -> Value:
    return super_of(state, node)


def _partial(state: State, arguments: Arguments, node: ast.AST) -> Value:
    inner = arguments.positional[0]
    if not isinstance(inner, Function):
        named = tuple(arguments.named.items())
        return Partial(state.where(node), inner, tuple(arguments.positional[1:]), named)
    positional = (*inner.given[0], *arguments.positional[1:])
    return replace(inner, given=(positional, tuple({**dict(inner.given[1]), **arguments.named}.items())))


def _thread(state: State, arguments: Arguments, node: ast.AST) -> Value:
    given, extra = arguments.named.get("args"), arguments.named.get("kwargs")
    positional = list(given.items) if isinstance(given, Items) else []
    named = extra.named if isinstance(extra, Table) else {}
    return state.call(arguments.named["target"], Arguments(positional, named), node)


_BUILTINS: dict[str, Callable[[State, Arguments, ast.AST], Value | None]] = {
    "enumerate": _enumerate,
    "getattr": _getattr,
    "len": _len,
    "range": _range,
    "setattr": _setattr,
    "super": _super,
    "vars": _vars,
    "zip": _zip,
}
