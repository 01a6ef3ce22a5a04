"""What a decorator makes of a function: one of the file is followed, a foreign one may change what it is given."""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers import names
from spacediff.reading.values.kinds import Arguments, Class, External, Function, Unknown, Value


def applied(state: State, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Value:
    """Return what a function's name stands for once its decorators have been applied."""
    made: Value = function
    for decorator in reversed(node.decorator_list):
        made = _decorated(state, made, decorator)
    return made


def _decorated(state: State, function: Value, node: ast.expr) -> Value:
    called = node.func if isinstance(node, ast.Call) else node
    if not isinstance(called, ast.Name | ast.Attribute):
        return function
    found = state.evaluate(called)
    if isinstance(found, External):
        return _by_library(state, function, found, node)
    if not isinstance(found, Function | Class):
        return function
    value = state.call(state.evaluate(node) if isinstance(node, ast.Call) else found, Arguments([function], {}), node)
    if isinstance(value, Unknown) and isinstance(function, Function):
        return replace(function, wrapped=state.unknown(node))
    return value


def _by_library(state: State, function: Value, found: External, node: ast.expr) -> Value:
    if not isinstance(function, Function):
        return function
    if names.last(found.name) == "wraps" and isinstance(node, ast.Call) and node.args:
        inner = state.evaluate(node.args[0])
        return replace(function, stands_for=inner.stands_for or inner.node) if isinstance(inner, Function) else function
    if found.name.split(".", 1)[0] in names.KEEP_FUNCTIONS or names.last(found.name) in names.KEEP_FUNCTIONS:
        return function
    return replace(function, wrapped=state.unknown(node))
