"""Functions of the source, followed from their first line to each of their ends."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace

from spacediff.reading.interpreter import effects
from spacediff.reading.interpreter.records import Frame
from spacediff.reading.interpreter.state import State
from spacediff.reading.parsing import Source
from spacediff.reading.values import (
    Arguments,
    Class,
    Function,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    either,
    results_in,
)

_MOST_REPEATED = 2
"""How often a function is followed inside itself."""


def follow_function(
    state: State,
    function: Function,
    arguments: Arguments,
    node: ast.AST,
    at_yield: Callable[[Value], None] | None = None,
) -> Value:
    """Return the result of a function of the source; one that is nested too deeply counts as unknown.

    Args:
        state: What follows the source.
        function: The function.
        arguments: What it is called with.
        node: The call.
        at_yield: What happens at its first `yield`, if it is a context manager.
    """
    nested = [frame.function for frame in state.frames if frame.function is not None]
    again = sum(other.node is function.node for other in nested)
    state.libraries.on_function_called(state, function, arguments, node)
    if len(nested) >= state.most_nested_calls or again >= _MOST_REPEATED:
        return effects.call_unknown(state, "", function, arguments, node)
    state.called.add(id(function.node))
    state.nested_calls = max(state.nested_calls, len(nested) + 1)
    command = state.commands.get(id(function.node))
    if command is not None and not arguments.every():
        arguments = command.arguments
    scope = state.heap.new()
    source = state.frame.source if function.file == state.frame.source.name else _source_named(state, function.file)
    frame = Frame(
        source, (scope, *function.scopes), function, outer_conditions=len(state.conditions), at_yield=at_yield
    )
    for name, value in _bound_arguments(state, function, arguments, node).items():
        state.heap.put(scope, name, value)
    state.frames.append(frame)
    try:
        if function.wrapped is not None:
            for name, value in list(state.heap.cell(scope).items()):
                state.heap.put(scope, name, _through_decorator(value, function.wrapped))
        if isinstance(function.node, ast.Lambda):
            return state.evaluate(function.node.body)
        reached = state.run(_body_of(function, function.node))
        return _joined_ends(state, frame, node, reached=reached)
    finally:
        state.frames.pop()
        del state.conditions[frame.outer_conditions :]


def _body_of(function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Sequence[ast.stmt]:
    """Return the body of a function, inside the context managers that it is decorated with."""
    if not function.inside:
        return node.body
    block = ast.With(items=[ast.withitem(one) for one in function.inside], body=node.body)
    return [ast.copy_location(block, node)]


def defaults_of(state: State, arguments: ast.arguments) -> tuple[tuple[str, Value], ...]:
    """Return parameter and default value of a function or lambda, evaluated at its definition as Python does."""
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    found = [
        (parameter.arg, state.evaluate(value))
        for parameter, value in zip(with_default, arguments.defaults, strict=True)
    ]
    for parameter, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if value is not None:
            found.append((parameter.arg, state.evaluate(value)))
    return tuple(found)


def _through_decorator(value: Value, by: Unknown) -> Value:
    """Return an argument after an unknown decorator passed it on: objects stay, anything else is unknown."""
    return value if isinstance(value, Object | Class | Function) else replace(by, results=results_in(value))


def _source_named(state: State, name: str) -> Source:
    return next((source for source in state.sources if source.name == name), state.frame.source)


def _joined_ends(state: State, frame: Frame, node: ast.AST, *, reached: bool) -> Value:
    """Join the ends of a function: the values that they return, and the heaps that they leave."""
    ends = list(frame.returns)
    if reached:
        ends.append(state.end(Known(state.where(node), None)))
    if not ends:
        return state.unknown(node)
    usual = next((end for end in ends if end.usual is not False), ends[0])
    decided = usual.usual is True
    ends = [usual, *(end for end in ends if end is not usual)]
    state.heap = usual.heap
    for other in ends[1:]:
        if other.heap is not state.heap:
            state.heap.join(other.heap, state.where(node), decided=decided, only_if=[usual.only_if, other.only_if])
    if frame.yields:
        return either(frame.yields, state.where(node))
    return either(
        [end.value for end in ends], state.where(node), decided=decided, only_if=[end.only_if for end in ends]
    )


def _bound_arguments(state: State, function: Function, arguments: Arguments, node: ast.AST) -> dict[str, Value]:
    parameters = function.node.args
    positional = [*function.given[0], *arguments.positional]
    named = {**dict(function.given[1]), **arguments.named}
    names = [parameter.arg for parameter in (*parameters.posonlyargs, *parameters.args)]
    every = [*names, *(parameter.arg for parameter in parameters.kwonlyargs)]
    bound: dict[str, Value] = dict(function.defaults)
    bound |= dict(zip(names, positional, strict=False))
    bound |= {name: named.pop(name) for name in every if name in named}
    for name in every:
        if name not in bound:
            bound[name] = Unknown(state.where(function.node), name)
    if parameters.vararg is not None:
        rest = tuple(positional[len(names) :])
        bound[parameters.vararg.arg] = Items(state.where(node), rest, open=bool(arguments.open))
    if parameters.kwarg is not None:
        named.pop("__pipeline__", None)
        bound[parameters.kwarg.arg] = Table(
            state.where(node), tuple(named.items()), bool(arguments.open), state.heap.identity()
        )
    return bound
