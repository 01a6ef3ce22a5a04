"""Instances of classes of the source: what their fields hold after they were created."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.classes import library_bases, member
from spacediff.reading.interpreter.displays import with_identity
from spacediff.reading.interpreter.functions import follow_function
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    Class,
    Function,
    Object,
    Unknown,
    Value,
    last_part,
)
from spacediff.reading.values.inputs import asked

_FROM_ENVIRONMENT = "BaseSettings"
"""The class of pydantic whose fields are environment variables."""


def instance_of(state: State, made: Class, arguments: Arguments, node: ast.AST) -> Value:
    """Return an instance of a class, after following what creates it."""
    found = state.libraries.call_method(state, made, "__call__", arguments, node)
    if found is not None:
        return found
    creates = member(state, made, "__new__")
    if isinstance(creates, Function):
        created = follow_function(state, creates, Arguments([made, *arguments.positional], arguments.named), node)
        if not isinstance(created, Unknown):
            return created
    instance = Object(state.where(node), "instance", state.heap.new({"__class__": made}))
    return initialised(state, instance, made, arguments, node)


def initialised(state: State, instance: Object, made: Class, arguments: Arguments, node: ast.AST) -> Object:
    """Return an instance after `__init__`, or with its fields if its class has none."""
    start = state.attribute(instance, "__init__", node)
    if isinstance(start, Function):
        follow_function(state, start, arguments, node)
        return instance
    from_environment = any(last_part(name) == _FROM_ENVIRONMENT for name in library_bases(made))
    for name in made.fields:
        default = member(state, made, name)
        if default is not None and not isinstance(default, Unknown):
            value = with_identity(state, default)
            state.put(instance, name, asked("environment variable", name.upper(), value, default.where)
                      if from_environment else value)  # fmt: skip
    for name, value in [*zip(made.fields, arguments.positional, strict=False), *arguments.named.items()]:
        state.put(instance, name, value)
    return instance
