"""Command lines: argparse, click, typer, fire, tyro and cog. Each option is an input with its default."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.parameters import defaults_as_inputs, options_of_class
from spacediff.reading.interpreter.records import Entry, Option
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.given_arguments import given_option, given_parameter, given_positional
from spacediff.reading.libraries.refused_arguments import doubt_refused
from spacediff.reading.values import (
    Arguments,
    Asked,
    Class,
    External,
    Function,
    Items,
    Known,
    Object,
    Unknown,
    Value,
    inside,
    last_part,
    methods,
)
from spacediff.reading.values.inputs import asked, text_of

_PARSERS = frozenset({"ArgumentParser", "HfArgumentParser"})

_RUNNERS = frozenset({"fire.Fire", "Fire", "typer.run", "tyro.cli", "jsonargparse.CLI", "absl.app.run", "app.run"})

_PARSE_FUNCTIONS = frozenset({"tyro.cli", "simple_parsing.parse", "jsonargparse.CLI", "parse", "draccus.parse"})
"""Functions that return an instance of a dataclass whose fields are options."""
_ADDS_NOTHING = frozenset({"description", "prog", "usage", "epilog", "formatter_class", "add_help"})
"""Arguments of a parser that neither add options nor change which are accepted."""
_DATACLASSES = "(dataclasses)"
"""Key of a parser for the classes that it was created with; no option has such a name."""


class CommandLines(Library):
    """Knows parsers, options, and functions that become a command."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a parser or an option, or register the function that a runner such as `fire.Fire` calls."""
        name = function.last_name
        if name in _PARSERS:
            parser = Object(state.where(node), "parser", state.heap.new(_dataclasses(arguments)))
            if name == "HfArgumentParser" or not arguments.named.keys() <= _ADDS_NOTHING:
                state.open_parsers.add(parser.cell)
            return parser
        _open_parsers(state, arguments)
        made = arguments.get("config_class", 0)
        if function.name in _PARSE_FUNCTIONS and isinstance(made, Class):
            return options_of_class(state, made, state.where(node))
        if function.name in _RUNNERS and arguments.positional:
            _register(state, arguments.positional[0], node)
            return state.unknown(node)
        if name in {"Input", "Argument", "Option"} and function.package in {"cog", "typer", "Input"}:
            label, default = text_of(arguments.get("description")), arguments.get("default", 0)
            return asked("argument", label, default, state.where(node))
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Add an option to a parser, or return the parsed arguments."""
        if not isinstance(owner, Object) or owner.kind != "parser" or name == "__call__":
            _open_parsers(state, arguments)
            return None
        if name in {"add_parser", "add_subparsers"}:
            state.open_parsers.add(owner.cell)
        if name == "parse_args" and not arguments.every():
            doubt_refused(state, owner)
        return _of_parser(state, owner, name, arguments, node)

    def on_function_defined(
        self, state: State, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> None:
        """Register a function that click or typer makes a command, with its options as inputs."""
        options: dict[str, Value] = {}
        is_command = False
        for decorator in node.decorator_list:
            words = state.words(decorator.func if isinstance(decorator, ast.Call) else decorator)
            is_command |= last_part(words) == "command"
            if isinstance(decorator, ast.Call) and words in {"click.option", "click.argument"}:
                options |= _option_of_click(state, decorator)
        if is_command:
            named = {**_parameters(state, function), **options}
            state.commands[id(function.node)] = Entry(function, Arguments([], named), state.where(node))


def _of_parser(state: State, owner: Object, name: str, arguments: Arguments, node: ast.AST) -> Value:
    if name == "add_argument":
        _add_argument(state, owner, arguments, node)
    elif name == "set_defaults":
        for key, value in arguments.named.items():
            option = state.get(owner, key)
            label = option.source.label if isinstance(option, Asked) else key
            state.put(owner, key, asked("argument", label, value, value.where))
    elif name in {"add_arguments", "add_class_arguments"}:
        made, place = arguments.get("dataclass", 0), text_of(arguments.get("dest", 1))
        if isinstance(made, Class) and place:
            state.put(owner, place, options_of_class(state, made, state.where(node)))
    elif name == "parse_args_into_dataclasses" and _DATACLASSES in state.heap.cell(owner.cell):
        classes = inside(state.get(owner, _DATACLASSES))
        return Items(state.where(node), tuple(options_of_class(state, one, state.where(node))
                                              for one in classes if isinstance(one, Class)))  # fmt: skip
    elif name in {"parse_args", "parse_known_args", "parse_args_into_dataclasses"}:
        values = {key: value for key, value in state.heap.cell(owner.cell).items() if key != _DATACLASSES}
        space = Object(state.where(node), "namespace", state.heap.new(values))
        return Items(state.where(node), (space, state.unknown(node))) if "known" in name else space
    elif name in {"add_argument_group", "add_mutually_exclusive_group", "add_parser", "add_subparsers"}:
        return owner
    return state.unknown(node)


def _open_parsers(state: State, arguments: Arguments) -> None:
    """Note that a function that is not known may add options to the parsers that it is given."""
    for one in arguments.every():
        if isinstance(one, Object) and one.kind == "parser":
            state.open_parsers.add(one.cell)


def _add_argument(
    state: State, parser: Object, arguments: Arguments, node: ast.AST, *, by_default: bool = False
) -> None:
    flags = [value.value for value in arguments.positional if isinstance(value, Known)]
    texts = [flag for flag in flags if isinstance(flag, str)]
    if not texts:
        state.open_parsers.add(parser.cell)
        return
    long = next((flag for flag in texts if flag.startswith("--")), texts[0])
    named = next((text for text in texts if not text.startswith("-")), "")  # how click writes `dest`
    destination = text_of(arguments.get("dest")) or named or long.lstrip("-").replace("-", "_")
    action = text_of(arguments.get("action"))
    where = state.where(node)
    added = state.options.setdefault(parser.cell, [])
    place = sum(not option.is_named for option in added)
    added.append(Option(tuple(texts), arguments, always=not state.conditions))
    default = arguments.get("default")
    if text_of(arguments.get("required")) == "True":  # its default is never used
        default = None
    if default is not None:
        default = _converted(default, arguments.get("type"))
    if default is None and action in {"store_true", "store_false"}:
        default = Known(where, action == "store_false")
    if default is None and long.startswith("-") and arguments.get("required") is None:
        default = Known(where, None)
    is_option = long.startswith("-")
    given = (
        given_option(state, texts, arguments, by_default=by_default)
        if is_option
        else given_positional(state, place, arguments)
    )
    state.put(parser, destination, given or asked("argument", long, default, where))


def _dataclasses(arguments: Arguments) -> dict[str, Value]:
    """Return the dataclasses that a parser of transformers is created with."""
    first = arguments.get("dataclass_types", 0)
    classes = [one for one in (inside(first) if isinstance(first, Items) else [first]) if isinstance(one, Class)]
    return {_DATACLASSES: Items(classes[0].where, tuple(classes))} if classes else {}


def _converted(default: Value, convert: Value | None) -> Value:
    """Return a default as its `type` converts it, which argparse does with texts only."""
    if not isinstance(default, Known) or not isinstance(default.value, str) or not isinstance(convert, External):
        return default
    if convert.name not in {"int", "float"}:
        return default
    return methods.call_function(convert.name, [default], Unknown(default.where, f"{convert.name}({default.value!r})"))


def _option_of_click(state: State, node: ast.Call) -> dict[str, Value]:
    """Return the parameter that `@click.option(...)` fills, as an input."""
    given = Arguments(
        [state.evaluate(argument) for argument in node.args],
        {keyword.arg: state.evaluate(keyword.value) for keyword in node.keywords if keyword.arg},
    )
    parser = Object(state.where(node), "parser", state.heap.new())
    if text_of(given.named.get("is_flag")) == "True" and "default" not in given.named:
        given.named["default"] = Known(state.where(node), value=False)
    _add_argument(state, parser, given, node, by_default=True)
    return dict(state.heap.cell(parser.cell))


def _register(state: State, function: Value, node: ast.AST) -> None:
    if isinstance(function, Function):
        state.entries.append(Entry(function, Arguments([], _parameters(state, function)), state.where(node)))


def _parameters(state: State, function: Function) -> dict[str, Value]:
    """Return the parameters of a function that becomes a command, as it is given them; otherwise as inputs."""
    defaults = dict(function.defaults)
    every = [*function.parameters.args, *function.parameters.kwonlyargs]
    given = {one.arg: given_parameter(state, one, defaults.get(one.arg)) for one in every}
    return {name: given.get(name) or value for name, value in defaults_as_inputs(state, function).items()}
