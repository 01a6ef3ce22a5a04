"""Decorators: one of the source is followed, one of a library is recognised or may change the arguments."""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.reading.interpreter.harmless import KEEP_FUNCTIONS
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Arguments, Class, External, Function, Unknown, Value


def decorated(state: State, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Value:
    """Return what the name of a function is bound to after its decorators."""
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
        return _of_library(state, function, found, node) if isinstance(function, Function) else function
    if not isinstance(found, Function | Class):
        return function
    value = state.call(state.evaluate(node) if isinstance(node, ast.Call) else found, Arguments([function], {}), node)
    if isinstance(value, Unknown) and isinstance(function, Function):
        return replace(function, wrapped=state.unknown(node))
    return value


def _of_library(state: State, function: Function, found: External, node: ast.expr) -> Function:
    recognised = state.libraries.decorate(state, function, found, node)
    if recognised is not None:
        return recognised
    if found.package in KEEP_FUNCTIONS or found.last_name in KEEP_FUNCTIONS:
        return function
    return replace(function, wrapped=state.unknown(node))
