"""Gradio: components are inputs, and events call functions with them."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.gradio.components import VALUE_POSITION, component, update
from spacediff.reading.libraries.gradio.events import (
    FOLLOWING,
    TRIGGERS,
    register,
    register_api,
    register_interface,
)
from spacediff.reading.values import (
    Arguments,
    Attribute,
    External,
    Function,
    Object,
    Unknown,
    Value,
    Widget,
)

_PACKAGES = frozenset({"gr", "gradio"})


class Gradio(Library):
    """Knows components, events and interfaces; an event's function is followed after the file."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a component, or register the function of an interface or of `gr.on`."""
        name = function.last_name
        if function.package not in _PACKAGES:
            return None
        if name in VALUE_POSITION:
            return component(state, name, arguments, node)
        if name in {"Interface", "ChatInterface"}:
            return register_interface(state, name, arguments, node)
        if name == "on":
            named = {key: value for key, value in arguments.named.items() if key != "triggers"}
            return register(state, name, Arguments(arguments.positional[1:], named), node)
        if name in {"update", "skip"}:
            return update(state.where(node), arguments)
        return register_api(state, arguments, node) if name == "api" else None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Register the function of an event such as `button.click(...)`."""
        if isinstance(owner, Widget) and name in {"render", "unrender"}:
            return owner
        if _may_be_event(owner, name):
            return register(state, name, arguments, node, owner)
        return state.unknown(node) if isinstance(owner, Widget) else None

    def on_function_defined(
        self, state: State, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> None:
        """Register a function with a decorator such as `@button.click(inputs=..., outputs=...)`."""
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
                continue
            if decorator.func.attr in TRIGGERS | FOLLOWING | {"on", "render"}:
                _register_decorated(state, function, decorator, decorator.func)


def _may_be_event(owner: Value, name: str) -> bool:
    """Return whether a method has the name of an event and its owner may be a component or an event."""
    if isinstance(owner, Object):
        return owner.kind == "event" and name in FOLLOWING
    return name in TRIGGERS | FOLLOWING and isinstance(owner, Widget | Unknown | Attribute | External)


def _register_decorated(state: State, function: Function, node: ast.Call, written: ast.Attribute) -> None:
    """Register the function below a decorator that is an event."""
    target = state.evaluate(written)
    of_gradio = isinstance(target, External) and target.package in _PACKAGES and target.last_name in {"on", "render"}
    owner = target.owner if isinstance(target, Attribute) else None
    if not of_gradio and (owner is None or not _may_be_event(owner, written.attr)):
        return
    given = {keyword.arg: state.evaluate(keyword.value) for keyword in node.keywords if keyword.arg}
    given.pop("triggers", None)
    register(state, written.attr, Arguments([], {**given, "fn": function}), node, owner)
