"""Instances of classes of the source: what their fields hold after they were created."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter import enums
from spacediff.reading.interpreter.classes import library_bases, member, with_first_argument
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
    alternatives,
    last_part,
)
from spacediff.reading.values.inputs import asked

_FROM_ENVIRONMENT = "BaseSettings"
"""The class of pydantic whose fields are environment variables."""


def instance_of(state: State, made: Class, arguments: Arguments, node: ast.AST) -> Value:
    """Return an instance of a class, after following what creates it."""
    if enums.is_enum(made):
        return enums.member_of_value(state, made, arguments, node)
    found = state.libraries.call_method(state, made, "__call__", arguments, node)
    if found is not None:
        return found
    creates = member(state, made, "__new__")
    if isinstance(creates, Function):
        created = state.call(with_first_argument(creates, made), arguments, node)
        if not isinstance(created, Unknown):
            for one in alternatives(created):
                start = state.attribute(one, "__init__", node) if isinstance(one, Object) else None
                if isinstance(start, Function):
                    follow_function(state, start, arguments, node)
            return created
    instance = Object(state.where(node), "instance", state.heap.new({"__class__": made}))
    return initialised(state, instance, made, arguments, node)


def initialised(state: State, instance: Object, made: Class, arguments: Arguments, node: ast.AST) -> Object:
    """Return an instance after `__init__`, or with its fields if its class has none."""
    start = state.attribute(instance, "__init__", node)
    if isinstance(start, Function):
        follow_function(state, start, arguments, node)
        return instance
    state.budget.spend(len(made.fields))
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


def entered_context(state: State, value: Value, node: ast.AST) -> Value:
    """Return what `with value as name` binds: the result of `__enter__` for an instance, otherwise the value."""
    made = state.get(value, "__class__") if isinstance(value, Object) else None
    enter = state.attribute(value, "__enter__", node) if isinstance(made, Class) else None
    return follow_function(state, enter, Arguments([], {}), node) if isinstance(enter, Function) else value
