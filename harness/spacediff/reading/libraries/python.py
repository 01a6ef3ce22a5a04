"""Python's own functions: those that compute, copy, look at names, or call something later."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace

from spacediff.reading.interpreter import effects
from spacediff.reading.interpreter.classes import library_bases, member, super_of
from spacediff.reading.interpreter.displays import as_table
from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Absent,
    Arguments,
    Asked,
    Attribute,
    Class,
    External,
    Function,
    Items,
    Known,
    Module,
    Object,
    Partial,
    Table,
    Value,
    lift,
    may_be_absent,
    methods,
)
from spacediff.reading.values.inputs import shown

_WORD = re.compile(r"[^\W\d]\w*")


class ComputingFunctions(Library):
    """Functions such as `int` and `math.ceil` that do nothing but compute a constant from constants."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the result, for each combination of alternatives."""
        if not methods.is_function(function.name) or not arguments.positional or arguments.named:
            return None
        if any(isinstance(one, Items) for one in arguments.positional):
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
    """Builtin functions of objects, and the methods of constants, lists and dicts."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the result of a builtin function."""
        first = arguments.get("", 0)
        if function.last_name == "__new__" and isinstance(first, Class):
            return Object(state.where(node), "instance", state.heap.new({"__class__": first}))
        builtin = _BUILTINS.get(function.name)
        return builtin(state, arguments, node) if builtin is not None else None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the result of a method of a constant, a list or a dict, or follow `globals().update(...)`."""
        first = arguments.get("", 0)
        if name == "join" and isinstance(owner, Known) and isinstance(first, Items) and not first.open:
            otherwise = state.unknown(node, first)
            return lift(lambda *texts: methods.joined(owner, texts, otherwise), first.items or [Known(owner.where, "")])
        if isinstance(owner, Known | Table | Items | Asked):
            otherwise = state.unknown(node, owner, *arguments.every())
            count = 1 + len(arguments.positional)

            def result(*values: Value) -> Value:
                named = dict(zip(arguments.named, values[count:], strict=True))
                given = Arguments(list(values[1:count]), named, arguments.open)
                return methods.call_method(values[0], name, given, otherwise)

            return lift(result, [owner, *arguments.positional, *arguments.named.values()])
        if isinstance(owner, Object) and owner.kind == "namespace" and name == "update":
            return _update_namespace(state, owner, arguments, node)
        return None


class LaterCalls(Library):
    """`functools.partial`, `functools.wraps`, and functions that are bound to an object."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a function with arguments bound, such as a method."""
        if function.last_name == "partial" and arguments.positional:
            return _partial(state, arguments, node)
        first, second = arguments.get("", 0), arguments.get("", 1)
        if function.name in {"types.MethodType", "MethodType"} and first is not None and second is not None:
            return _as_method(first, second, node, state)
        if function.last_name == "__get__" and first is not None:
            return _as_method(External(function.where, function.name.removesuffix(".__get__")), first, node, state)
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a function of the source that `__get__` binds to an object."""
        first = arguments.get("", 0)
        return _as_method(owner, first, node, state) if name == "__get__" and first is not None else None

    def decorate(self, state: State, function: Function, decorator: External, node: ast.expr) -> Function | None:
        """Return a function that shows the name and the parameters of the one that it wraps."""
        if decorator.last_name != "wraps" or not isinstance(node, ast.Call) or not node.args:
            return None
        inner = state.evaluate(node.args[0])
        return replace(function, stands_for=inner.stands_for or inner.node) if isinstance(inner, Function) else function


def _executed(state: State, code: Value | None, node: ast.AST) -> Value:
    text = code.value if isinstance(code, Known) and isinstance(code.value, str) else None
    if text is None:
        state.note("patched part", node, f"{state.words(node)}: code that is not read")
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


def _getattr(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    owner, name, default = (arguments.get("", place) for place in range(3))
    if owner is None or name is None:
        return None
    if default is not None and _has(state, owner, shown(name)) is False:
        return default
    return lift(lambda one: state.attribute(owner, shown(one), node), [name])


def _hasattr(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    owner, name = arguments.get("", 0), arguments.get("", 1)
    found = _has(state, owner, shown(name)) if owner is not None and name is not None else None
    return None if found is None else Known(state.where(node), found)


def _has(state: State, owner: Value, name: str) -> bool | None:
    """Return whether an attribute is set; None if that is unknown."""
    if isinstance(owner, Known):
        return False if owner.value is None else None
    if not isinstance(owner, Object | Function | Class | Module):
        return None
    stored = state.heap.cell(owner.cell).get(name) if owner.cell else None
    if stored is not None and not may_be_absent(stored):
        return True
    is_own = isinstance(owner, Function | Class) or (isinstance(owner, Object) and owner.kind == "instance")
    made = state.get(owner, "__class__") if isinstance(owner, Object) else owner
    if isinstance(made, Class):
        if member(state, made, name) is not None:
            return True
        is_own = is_own and not library_bases(made)
    return False if is_own and (stored is None or isinstance(stored, Absent)) else None


def _setattr(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    owner, name, value = (arguments.get("", place) for place in range(3))
    if not isinstance(owner, Object) or name is None or value is None:
        return None
    if not state.libraries.set_attribute(state, owner, shown(name), value, node):
        state.put(owner, shown(name), value)
    return Known(state.where(node), None)


def _vars(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    first = arguments.get("", 0)
    return Table(state.where(node), tuple(state.heap.cell(first.cell).items())) if isinstance(first, Object) else None


def _super(state: State, _: Arguments, node: ast.AST) -> Value:
    return super_of(state, node)


def _partial(state: State, arguments: Arguments, node: ast.AST) -> Value:
    inner = arguments.positional[0]
    if not isinstance(inner, Function):
        named = tuple(arguments.named.items())
        return Partial(state.where(node), inner, tuple(arguments.positional[1:]), named)
    positional = (*inner.given[0], *arguments.positional[1:])
    return replace(inner, given=(positional, tuple({**dict(inner.given[1]), **arguments.named}.items())))


def _as_method(function: Value, owner: Value, node: ast.AST, state: State) -> Value:
    """Return a function as a method of an object: its first argument is bound."""
    if isinstance(function, Function):
        return replace(function, given=((owner, *function.given[0]), function.given[1]))
    name = function.last_name if isinstance(function, External) else "__call__"
    return Attribute(state.where(node), owner, name)


_BUILTINS: dict[str, Callable[[State, Arguments, ast.AST], Value | None]] = {
    "getattr": _getattr,
    "hasattr": _hasattr,
    "setattr": _setattr,
    "super": _super,
    "vars": _vars,
}
