"""Parameters of functions that the user calls: each becomes an input with its default."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    Asked,
    Class,
    Function,
    Object,
    Value,
)
from spacediff.reading.values.inputs import asked


def _place(state: State, function: Function, line: int) -> str:
    main = state.files.main
    return main.place(line) if function.file == main.name else f"{function.file}:{line}"


def defaults_as_inputs(state: State, function: Function) -> dict[str, Value]:
    """Return the parameters of a function as inputs; those that are bound already are left out."""
    defaults = dict(function.defaults)
    parameters = [*function.parameters.args, *function.parameters.kwonlyargs]
    bound = len(function.given[0])
    return {
        parameter.arg: defaults[parameter.arg]
        if isinstance(defaults.get(parameter.arg), Asked)
        else asked("parameter", parameter.arg, defaults.get(parameter.arg),
                           _place(state, function, parameter.lineno))
        for position, parameter in enumerate(parameters)
        if position >= bound
    }  # fmt: skip


def as_inputs(state: State, function: Function) -> Arguments:
    """Return arguments for a function that nothing in the source calls.

    Each is an input with its default; one that is annotated with a class of fields, such as a request model of
    FastAPI, is an instance of that class.
    """
    named = defaults_as_inputs(state, function)
    for parameter in (*function.parameters.args, *function.parameters.kwonlyargs):
        annotation = parameter.annotation
        if isinstance(annotation, ast.Name) and parameter.arg in named:
            found = [state.heap.cell(scope).get(annotation.id) for scope in function.scopes]
            made = next((one for one in found if one is not None), None)
            if isinstance(made, Class) and made.fields:
                named[parameter.arg] = _request(state, made, _place(state, function, parameter.lineno))
    return Arguments([], named)


def _request(state: State, made: Class, where: str) -> Object:
    """Return an instance whose fields are inputs."""
    fields: dict[str, Value] = {"__class__": made}
    for name in made.fields:
        default = state.heap.cell(made.cell).get(name)
        fields[name] = asked("field", name, default, default.where if default else made.where)
    return Object(where, "instance", state.heap.new(fields))
