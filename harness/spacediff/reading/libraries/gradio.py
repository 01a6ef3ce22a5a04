"""User interfaces: Gradio, Streamlit, argparse, click and the like. What they ask for becomes an input."""

from __future__ import annotations

import ast

from spacediff.reading.endpoints import listed
from spacediff.reading.interpreter.state import Entry, Event, State
from spacediff.reading.libraries.diffusers import names
from spacediff.reading.model import Input
from spacediff.reading.values import constants as folding
from spacediff.reading.values.kinds import (
    Arguments,
    Asked,
    Attribute,
    Class,
    Either,
    External,
    Function,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    Widget,
)

_GRADIO = {
    "Slider": 2, "Number": 0, "Textbox": 0, "TextArea": 0, "Checkbox": 0, "Dropdown": 1, "Radio": 1, "Image": 0,
    "Video": 0, "File": 0, "Files": 0, "State": 0, "Audio": 0, "CheckboxGroup": 1, "ImageEditor": 0,
    "MultimodalTextbox": 0, "Code": 0, "ColorPicker": 0, "Gallery": 0, "Text": 0, "Checkboxgroup": 1, "ImageSlider": 0,
}  # fmt: skip
"""Component to the position of its value."""

_STREAMLIT = {
    "slider": 3, "number_input": 3, "text_input": 1, "text_area": 1, "checkbox": 1, "selectbox": 2, "radio": 2,
    "toggle": 1, "file_uploader": 9, "select_slider": 2,
}  # fmt: skip
_EVENTS = frozenset({"click", "submit", "change", "then", "success", "input", "release", "select", "load", "upload",
                     "tap", "api"})  # fmt: skip
_PARSERS = frozenset({"ArgumentParser", "HfArgumentParser"})
_RUNNERS = frozenset({"fire.Fire", "Fire", "typer.run", "tyro.cli", "absl.app.run", "app.run"})


def call_library(state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:  # noqa: PLR0911 - one way out for each kind
    """Return what a function of an interface library gives; None for any other library."""
    name = names.last(function.name)
    top = function.name.split(".", 1)[0]
    if name in _GRADIO and top in {"gr", "gradio"}:
        return _widget(state, name, arguments, node)
    if name in _STREAMLIT and top in {"st", "streamlit"}:
        default = arguments.get("value") or arguments.get("", _STREAMLIT[name])
        return folding.asked(name, _text(arguments.get("label", 0)), default, state.where(node))
    if name in {"Interface", "ChatInterface"} and top in {"gr", "gradio"}:
        return _interface(state, name, arguments, node)
    if top in {"gr", "gradio"} and name == "on":
        named = {key: value for key, value in arguments.named.items() if key != "triggers"}
        return wire(state, name, Arguments(arguments.positional[1:], named), node)
    if name in _PARSERS:
        return Object(state.where(node), "parser", state.heap.new())
    if function.name in _RUNNERS and arguments.positional:
        _enter_with_defaults(state, arguments.positional[0], node)
        return state.unknown(node)
    if name in {"Input", "Argument", "Option"} and top in {"cog", "typer", "Input"}:
        return folding.asked("argument", _text(arguments.get("description")), arguments.get("default", 0),
                             state.where(node))  # fmt: skip
    return None


def _text(value: Value | None) -> str:
    return folding.shown(value) if isinstance(value, Known) and value.value is not None else ""


def _widget(state: State, kind: str, arguments: Arguments, node: ast.AST) -> Widget:
    value = arguments.get("value", _GRADIO[kind])
    if value is None and kind == "Slider":
        value = arguments.get("minimum", 0)
    if value is None and kind in {"Dropdown", "Radio"}:
        choices = arguments.get("choices", 0)
        value = choices.items[0] if isinstance(choices, Items) and choices.items and kind == "Dropdown" else None
    default = value if value is not None else Known(state.where(node), None)
    source = Input(kind, _text(arguments.get("label"))[:200], folding.json_of(default), state.where(node))
    return Widget(state.where(node), source, default)


def is_event(owner: Value, name: str) -> bool:
    """Return whether a method's name is that of an event, of something that may be a component."""
    return name in _EVENTS and isinstance(owner, Unknown | Attribute | External)


def wire(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """Remember the function that an event calls, with its inputs; it is followed when the file has been."""
    function = arguments.get("fn", 0)
    options = function.options if isinstance(function, Either) else (function,)
    inputs = arguments.get("inputs", 1)
    given = inputs.items if isinstance(inputs, Items) else (inputs,) if inputs is not None else ()
    functions = tuple(option for option in options if isinstance(option, Function))
    if name in _EVENTS or name == "on":
        event = _event(state, name, functions, arguments, node)
        for option in functions:
            asked = Arguments([_asked(value) for value in given], {})
            state.entries.append(Entry(option, asked, state.where(node), event))
    return state.unknown(node)


def _event(state: State, kind: str, functions: tuple[Function, ...], arguments: Arguments, node: ast.AST) -> Event:
    """Remember an event, from which Gradio makes an endpoint, in the order of the source."""
    given, results = listed(arguments.get("inputs", 1)), listed(arguments.get("outputs", 2))
    api_name = arguments.get("api_name", None if kind == "Interface" else 3)
    event = Event(kind, functions, api_name, given, results, state.where(node))
    state.events.append(event)
    return event


def _asked(value: Value) -> Value:
    """Return what a function gets for a component."""
    if isinstance(value, Widget):
        return Asked(value.where, value.source, value.value)
    if isinstance(value, Known) and isinstance(value.value, str):  # gr.Interface(inputs="text")
        return folding.asked(value.value, "", Known(value.where, None), value.where)
    return value


def _interface(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    function = arguments.get("fn", 0)
    inputs = arguments.get("additional_inputs" if name == "ChatInterface" else "inputs", None if name == "ChatInterface"
                           else 1)  # fmt: skip
    listed = list(inputs.items) if isinstance(inputs, Items) else [inputs] if inputs is not None else []
    given = [_asked(value) for value in listed]
    if name == "ChatInterface":
        where = state.where(node)
        given = [folding.asked("chat message", "message", None, where),
                 folding.asked("chat history", "history", None, where), *given]  # fmt: skip
    if isinstance(function, Function):
        event = _event(state, name, (function,), arguments, node) if name == "Interface" else None
        state.entries.append(Entry(function, Arguments(given, {}), state.where(node), event))
    return state.unknown(node)


def call_method(state: State, owner: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return what a method of a command line's parser gives; None for other objects."""
    if owner.kind != "parser":
        return None
    if name == "add_argument":
        _add_argument(state, owner, arguments, node)
    elif name == "set_defaults":
        for key, value in arguments.named.items():
            held = state.get(owner, key)
            label = held.source.label if isinstance(held, Asked) else key
            state.put(owner, key, folding.asked("argument", label, value, value.where))
    elif name in {"parse_args", "parse_known_args", "parse_args_into_dataclasses"}:
        values = dict(state.heap.cell(owner.cell))
        space = Object(state.where(node), "namespace", state.heap.new(values))
        return Items(state.where(node), (space, state.unknown(node))) if "known" in name else space
    elif name in {"add_argument_group", "add_mutually_exclusive_group", "add_parser", "add_subparsers"}:
        return owner
    return state.unknown(node)


def _add_argument(state: State, parser: Object, arguments: Arguments, node: ast.AST) -> None:
    flags = [value.value for value in arguments.positional if isinstance(value, Known)]
    texts = [flag for flag in flags if isinstance(flag, str)]
    if not texts:
        return
    long = next((flag for flag in texts if flag.startswith("--")), texts[0])
    named = next((text for text in texts if not text.startswith("-")), "")  # click's own way to say `dest`
    destination = _text(arguments.get("dest")) or named or long.lstrip("-").replace("-", "_")
    action = _text(arguments.get("action"))
    where = state.where(node)
    default = arguments.get("default")
    if default is None and action in {"store_true", "store_false"}:
        default = Known(where, action == "store_false")
    if default is None and long.startswith("-") and arguments.get("required") is None:
        default = Known(where, None)
    state.put(parser, destination, folding.asked("argument", long, default, where))


def field_default(state: State, value: Value, node: ast.AST) -> Value:
    """Return the default of a dataclass's field."""
    if isinstance(value, Unknown) and value.text.endswith(")") and "default=" in value.text:
        return value
    if isinstance(value, Table) and value.get("__default__") is not None:
        return value.get("__default__") or state.unknown(node)
    return value


def decorate(state: State, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Enter a function that click or typer makes the command line, with its options as inputs."""
    options: dict[str, Value] = {}
    is_command = False
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        words = state.words(called)
        is_command |= names.last(words) == "command"
        if isinstance(decorator, ast.Call) and isinstance(called, ast.Attribute) and called.attr in _EVENTS | {"on"}:
            _wired_by_decorator(state, function, decorator)
        if isinstance(decorator, ast.Call) and words in {"click.option", "click.argument"}:
            given = Arguments(
                [state.evaluate(argument) for argument in decorator.args],
                {keyword.arg: state.evaluate(keyword.value) for keyword in decorator.keywords if keyword.arg},
            )
            options |= _option(state, given, decorator)
    if is_command:
        named = {**_defaults(state, function), **options}
        state.commands[id(function.node)] = Entry(function, Arguments([], named), state.where(node))


def _wired_by_decorator(state: State, function: Function, node: ast.Call) -> None:
    """Wire a function below `@button.click(inputs=..., outputs=...)`."""
    target = state.evaluate(node.func)
    is_on = isinstance(target, External) and target.name in {"gr.on", "gradio.on"}
    if not is_on and not (isinstance(target, Attribute) and is_event(target.owner, target.name)):
        return
    given = {keyword.arg: state.evaluate(keyword.value) for keyword in node.keywords if keyword.arg}
    given.pop("triggers", None)
    name = "on" if is_on else names.last(state.words(node.func))
    wire(state, name, Arguments([], {**given, "fn": function}), node)


def _option(state: State, given: Arguments, node: ast.AST) -> dict[str, Value]:
    parser = Object(state.where(node), "parser", state.heap.new())
    if _text(given.named.get("is_flag")) == "True" and "default" not in given.named:
        given.named["default"] = Known(state.where(node), value=False)
    _add_argument(state, parser, given, node)
    return dict(state.heap.cell(parser.cell))


def _place(state: State, function: Function, line: int) -> str:
    main = state.files.main
    return main.place(line) if function.file == main.name else f"{function.file}:{line}"


def _defaults(state: State, function: Function) -> dict[str, Value]:
    """Return a function's parameters as inputs with their defaults."""
    defaults = dict(function.defaults)
    parameters = [*function.parameters.args, *function.parameters.kwonlyargs]
    bound = len(function.given[0])
    return {
        parameter.arg: defaults[parameter.arg]
        if isinstance(defaults.get(parameter.arg), Asked)
        else folding.asked("parameter", parameter.arg, defaults.get(parameter.arg),
                           _place(state, function, parameter.lineno))
        for position, parameter in enumerate(parameters)
        if position >= bound
    }  # fmt: skip


def _enter_with_defaults(state: State, function: Value, node: ast.AST) -> None:
    if isinstance(function, Function):
        state.entries.append(Entry(function, Arguments([], _defaults(state, function)), state.where(node)))


def parameters(state: State, function: Function) -> Arguments:
    """Return arguments for a function that nobody calls: each an input with its default."""
    named = _defaults(state, function)
    for parameter in (*function.parameters.args, *function.parameters.kwonlyargs):
        annotation = parameter.annotation
        if isinstance(annotation, ast.Name) and parameter.arg in named:
            found = [state.heap.cell(scope).get(annotation.id) for scope in function.scopes]
            made = next((one for one in found if one is not None), None)
            if isinstance(made, Class) and made.fields:
                named[parameter.arg] = _request(state, made, _place(state, function, parameter.lineno))
    return Arguments([], named)


def _request(state: State, made: Class, where: str) -> Object:
    """Return an instance whose fields come from whoever sends the request."""
    held: dict[str, Value] = {"__class__": made}
    for name in made.fields:
        default = state.heap.cell(made.cell).get(name)
        held[name] = folding.asked("field", name, default, default.where if default else made.where)
    return Object(where, "instance", state.heap.new(held))


__all__ = ["call_library", "call_method", "decorate", "field_default", "is_event", "parameters", "wire"]
