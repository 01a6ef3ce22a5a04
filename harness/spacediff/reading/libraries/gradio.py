"""Gradio: components are inputs, and events call functions with them."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.records import Entry, Event
from spacediff.reading.interpreter.state import State
from spacediff.reading.model import Input
from spacediff.reading.values import (
    Arguments,
    Asked,
    Attribute,
    External,
    Function,
    Items,
    Known,
    Unknown,
    Value,
    Widget,
    alternatives,
    last_part,
)
from spacediff.reading.values.inputs import asked, json_of, text_of

_VALUE_POSITION = {
    "Slider": 2, "Number": 0, "Textbox": 0, "TextArea": 0, "Checkbox": 0, "Dropdown": 1, "Radio": 1, "Image": 0,
    "Video": 0, "File": 0, "Files": 0, "State": 0, "Audio": 0, "CheckboxGroup": 1, "ImageEditor": 0,
    "MultimodalTextbox": 0, "Code": 0, "ColorPicker": 0, "Gallery": 0, "Text": 0, "Checkboxgroup": 1, "ImageSlider": 0,
}  # fmt: skip
"""Component to the position of its value among its arguments."""

_EVENTS = frozenset({"click", "submit", "change", "then", "success", "input", "release", "select", "load", "upload",
                     "tap", "api"})  # fmt: skip


class Gradio(Library):
    """Knows components, events and interfaces; an event's function is followed after the file."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a component, or register the function of an interface or of `gr.on`."""
        name = function.last_name
        if function.package not in {"gr", "gradio"}:
            return None
        if name in _VALUE_POSITION:
            return _component(state, name, arguments, node)
        if name in {"Interface", "ChatInterface"}:
            return _interface(state, name, arguments, node)
        if name == "on":
            named = {key: value for key, value in arguments.named.items() if key != "triggers"}
            return _register(state, name, Arguments(arguments.positional[1:], named), node)
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Register the function of an event such as `button.click(...)`."""
        if isinstance(owner, Widget) or _may_be_event(owner, name):
            return _register(state, name, arguments, node)
        return None

    def on_function_defined(
        self, state: State, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> None:
        """Register a function with a decorator such as `@button.click(inputs=..., outputs=...)`."""
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
                continue
            if decorator.func.attr in _EVENTS | {"on"}:
                _register_decorated(state, function, decorator)


def _may_be_event(owner: Value, name: str) -> bool:
    """Return whether a method has the name of an event and its owner may be a component."""
    return name in _EVENTS and isinstance(owner, Unknown | Attribute | External)


def _register(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """Register the function that an event calls, with its inputs."""
    function = arguments.get("fn", 0)
    inputs = arguments.get("inputs", 1)
    given = inputs.items if isinstance(inputs, Items) else (inputs,) if inputs is not None else ()
    functions = tuple(option for option in alternatives(function) if isinstance(option, Function))
    if name in _EVENTS or name == "on":
        event = _event(state, name, functions, arguments, node)
        for option in functions:
            given_to_it = Arguments([_as_argument(value) for value in given], {})
            state.entries.append(Entry(option, given_to_it, state.where(node), event))
    return state.unknown(node)


def _event(state: State, kind: str, functions: tuple[Function, ...], arguments: Arguments, node: ast.AST) -> Event:
    """Write down an event; Gradio creates its endpoint from it, in the order of the source."""
    given, results = _components(arguments.get("inputs", 1)), _components(arguments.get("outputs", 2))
    api_name = arguments.get("api_name", None if kind == "Interface" else 3)
    event = Event(kind, functions, api_name, given, results, state.where(node))
    state.events.append(event)
    return event


def _components(value: Value | None) -> tuple[Value, ...] | None:
    """Return the inputs or outputs of an event; None if they are unknown."""
    if value is None or (isinstance(value, Known) and value.value is None):
        return ()
    if isinstance(value, Items):
        return None if value.open else value.items
    return (value,) if isinstance(value, Widget | Known | Unknown) else None


def _as_argument(value: Value) -> Value:
    """Return what a function receives for a component."""
    if isinstance(value, Widget):
        return Asked(value.where, value.source, value.value)
    if isinstance(value, Known) and isinstance(value.value, str):  # gr.Interface(inputs="text")
        return asked(value.value, "", Known(value.where, None), value.where)
    return value


def _interface(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    function = arguments.get("fn", 0)
    inputs = arguments.get("additional_inputs" if name == "ChatInterface" else "inputs", None if name == "ChatInterface"
                           else 1)  # fmt: skip
    each = list(inputs.items) if isinstance(inputs, Items) else [inputs] if inputs is not None else []
    given = [_as_argument(value) for value in each]
    if name == "ChatInterface":
        where = state.where(node)
        given = [asked("chat message", "message", None, where),
                 asked("chat history", "history", None, where), *given]  # fmt: skip
    if isinstance(function, Function):
        event = _event(state, name, (function,), arguments, node) if name == "Interface" else None
        state.entries.append(Entry(function, Arguments(given, {}), state.where(node), event))
    return state.unknown(node)


def _component(state: State, kind: str, arguments: Arguments, node: ast.AST) -> Widget:
    value = arguments.get("value", _VALUE_POSITION[kind])
    if value is None and kind == "Slider":
        value = arguments.get("minimum", 0)
    if value is None and kind in {"Dropdown", "Radio"}:
        choices = arguments.get("choices", 0)
        value = choices.items[0] if isinstance(choices, Items) and choices.items and kind == "Dropdown" else None
    default = value if value is not None else Known(state.where(node), None)
    source = Input(kind, text_of(arguments.get("label"))[:200], json_of(default), state.where(node))
    return Widget(state.where(node), source, default)


def _register_decorated(state: State, function: Function, node: ast.Call) -> None:
    """Register the function below a decorator that is an event."""
    target = state.evaluate(node.func)
    is_on = isinstance(target, External) and target.name in {"gr.on", "gradio.on"}
    if not is_on and not (isinstance(target, Attribute) and _may_be_event(target.owner, target.name)):
        return
    given = {keyword.arg: state.evaluate(keyword.value) for keyword in node.keywords if keyword.arg}
    given.pop("triggers", None)
    name = "on" if is_on else last_part(state.words(node.func))
    _register(state, name, Arguments([], {**given, "fn": function}), node)
