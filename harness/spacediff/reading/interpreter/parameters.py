"""Parameters of functions that the user calls: each becomes an input with its default."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    Asked,
    Class,
    Function,
    Module,
    Object,
    Unknown,
    Value,
)
from spacediff.reading.values.inputs import asked, field_of, written_by_user

_NUMBER = re.compile(r"\b(bool|int|float|Optional|None)\b")
"""Annotations of parameters whose value may be 0, False or None."""


def _place(state: State, function: Function, line: int) -> str:
    main = state.files.main
    return main.place(line) if function.file == main.name else f"{function.file}:{line}"


def defaults_as_inputs(state: State, function: Function) -> dict[str, Value]:
    """Return the parameters of a function as inputs; those that are bound already are left out."""
    defaults = dict(function.defaults)
    parameters = [*function.parameters.args, *function.parameters.kwonlyargs]
    bound = len(function.given[0])
    return {
        parameter.arg: _as_input(parameter, defaults.get(parameter.arg), _place(state, function, parameter.lineno))
        for position, parameter in enumerate(parameters)
        if position >= bound
    }


def _as_input(parameter: ast.arg, default: Value | None, where: str) -> Value:
    """Return a parameter as an input; one without a default is given by the caller."""
    if isinstance(default, Asked):
        source = default.source
        return default if source.label else replace(default, source=replace(source, label=parameter.arg))
    if default is None and not _NUMBER.search(ast.unparse(parameter.annotation) if parameter.annotation else ""):
        default = written_by_user(where, parameter.arg)
    return asked("parameter", parameter.arg, default, where)


def as_inputs(state: State, function: Function) -> Arguments:
    """Return arguments for a function that nothing in the source calls.

    Each is an input with its default; one that is annotated with a class of fields, such as a request model of
    FastAPI, is an instance of that class.
    """
    named = defaults_as_inputs(state, function)
    for parameter in (*function.parameters.args, *function.parameters.kwonlyargs):
        made = _class_named(state, function, parameter.annotation) if parameter.arg in named else None
        if made is not None and made.fields:
            named[parameter.arg] = _request(state, made, _place(state, function, parameter.lineno))
    return Arguments([], named)


def _class_named(state: State, function: Function, annotation: ast.expr | None) -> Class | None:
    """Return the class of the source that an annotation names, as in `Ask` or `Annotated[schemas.Ask, Body()]`."""
    for node in ast.walk(annotation) if annotation is not None else ():
        found: Value | None = None
        if isinstance(node, ast.Name):
            found = next((one for scope in function.scopes if (one := state.heap.cell(scope).get(node.id))), None)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = next((one for scope in function.scopes if (one := state.heap.cell(scope).get(node.value.id))), None)
            found = state.heap.cell(owner.cell).get(node.attr) if isinstance(owner, Module) else None
        if isinstance(found, Class):
            return found
    return None


def _request(state: State, made: Class, where: str) -> Object:
    """Return an instance whose fields are inputs; the properties of its class stay."""
    fields: dict[str, Value] = {"__class__": made}
    for name in made.fields:
        default = _default_of(state, made, name)
        is_required = default is None or (isinstance(default, Unknown) and default.text == "required")
        fields[name] = field_of(name, None if is_required else default, default.where if default else made.where)
    return Object(where, "instance", state.heap.new(fields))


def options_of_class(state: State, made: Class, where: str) -> Object:
    """Return an instance of a dataclass whose fields are options of a command line, with their defaults."""
    fields: dict[str, Value] = {"__class__": made}
    for name in made.fields:
        default = _default_of(state, made, name)
        is_required = isinstance(default, Unknown) and default.text == "required"
        place = default.where if default is not None else made.where
        fields[name] = asked("argument", f"--{name}", None if is_required else default, place)
    return Object(where, "instance", state.heap.new(fields))


def _default_of(state: State, made: Class, name: str) -> Value | None:
    """Return the default of a field, which a base class may give."""
    own = state.heap.cell(made.cell).get(name)
    bases = [base for base in made.bases if isinstance(base, Class)]
    return own if own is not None or not bases else _default_of(state, bases[0], name)
