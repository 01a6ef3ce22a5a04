"""Calls: functions of the source are followed, those of libraries are looked up among the recognisers."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter import effects
from spacediff.reading.interpreter.classes import library_bases
from spacediff.reading.interpreter.displays import as_table, with_identity
from spacediff.reading.interpreter.functions import follow_function
from spacediff.reading.interpreter.instances import instance_of
from spacediff.reading.interpreter.records import Condition
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Absent,
    Arguments,
    Attribute,
    Class,
    Either,
    External,
    Function,
    Items,
    Known,
    Object,
    Partial,
    Unknown,
    Value,
    alternatives,
    contradict,
    either,
)


def arguments_of(state: State, node: ast.Call) -> Arguments:
    """Evaluate the arguments of a call."""
    arguments = Arguments([], {})
    for argument in node.args:
        value = state.evaluate(argument)
        if arguments.open:  # its position is unknown
            continue
        if not isinstance(argument, ast.Starred):
            arguments.positional.append(value)
        elif isinstance(value, Items) and not value.open:
            arguments.positional.extend(value.items)
        else:
            arguments.open = state.words(argument)
    for keyword in node.keywords:
        value = state.evaluate(keyword.value)
        if keyword.arg is not None:
            arguments.named[keyword.arg] = value
            continue
        table = as_table(state, value)
        arguments.named |= table.named
        arguments.open = arguments.open or (state.words(keyword.value) if table.open else "")
    state.budget.spend_on_looks(len(arguments.positional) + len(arguments.named))
    return arguments


def call_expression(state: State, node: ast.Call) -> Value:
    """Evaluate the function and its arguments, then call it."""
    function = state.evaluate(node.func)
    arguments = arguments_of(state, node)
    owners = tuple(one.owner if isinstance(one, Attribute) else one for one in alternatives(function))
    if isinstance(node.func, ast.Attribute):
        owner = owners[0] if len(owners) == 1 else Either(state.where(node), owners, decided=False)
        effects.change_by_method(state, owner, node.func.value, node.func.attr, arguments)
    made = state.call(function, arguments, node)
    return made if isinstance(function, Function | Partial) else with_identity(state, made)


def call(state: State, function: Value, arguments: Arguments, node: ast.AST) -> Value:  # noqa: PLR0911 - one way out for each kind
    """Return the result of a call."""
    state.budget.spend()
    if isinstance(function, Either):
        return _call_one_of(state, function, arguments, node)
    if isinstance(function, Function):
        return _call_function(state, function, arguments, node)
    if isinstance(function, Class):
        return instance_of(state, function, arguments, node)
    if isinstance(function, External):
        return _call_library(state, function, arguments, node)
    if isinstance(function, Object):
        return _call_object(state, function, arguments, node)
    if isinstance(function, Attribute):
        return _call_method(state, function, arguments, node)
    if isinstance(function, Partial):
        given = Arguments([*function.positional, *arguments.positional], {**dict(function.named), **arguments.named})
        given.open = arguments.open
        return state.call(function.function, given, node)
    held = isinstance(function, Unknown) and function.holds is not None
    found = state.libraries.call_method(state, function, "__call__", arguments, node) if held else None
    return found or effects.call_unknown(state, "", function, arguments, node)


def _call_function(state: State, function: Function, arguments: Arguments, node: ast.AST) -> Value:
    before = len(state.calls)
    result = follow_function(state, function, arguments, node)
    owner = function.given[0][0] if function.given[0] else None
    if not isinstance(owner, Object) or len(state.calls) > before:
        return result
    return state.libraries.after_method(state, owner, function, arguments, node) or result


def _call_one_of(state: State, function: Either, arguments: Arguments, node: ast.AST) -> Value:
    """Return the result of one of several functions, each called on its own copy of the heap."""
    taken = [condition.text for condition in state.conditions]
    sure = [condition.usual is True for condition in state.conditions]
    # Every branch taken to this place is the usual one, so the function is the usual one as well.
    count = 1 if function.decided and sure and all(sure) else len(function.options)
    usable = [
        place
        for place, (option, words) in enumerate(zip(function.options[:count], function.conditions, strict=False))
        if not isinstance(option, Absent | Known) and not any(contradict(words, other) for other in taken)
    ]
    if len(usable) <= 1:
        return state.call(function.options[usable[0]], arguments, node) if usable else Absent(state.where(node))
    before, heaps, results = state.heap, [], []
    for place in usable:
        usual = place == 0 if function.decided else None
        state.heap = before.fork()
        state.conditions.append(Condition(function.conditions[place], usual))
        try:
            results.append(state.call(function.options[place], arguments, node))
        finally:
            state.conditions.pop()
        heaps.append(state.heap)
    decided, only_if = function.decided and usable[0] == 0, [function.conditions[place] for place in usable]
    own = not any(isinstance(function.options[place], Function | Class | Partial) for place in usable)
    state.heap = heaps[0]
    for heap, words in zip(heaps[1:], only_if[1:], strict=True):
        conditions = [only_if[0], words]
        state.heap.join(heap, state.where(node), decided=decided, only_if=conditions, before=before if own else None)
    return either(results, state.where(node), decided=decided, only_if=only_if)


def _call_object(state: State, function: Object, arguments: Arguments, node: ast.AST) -> Value:
    found = state.libraries.call_method(state, function, "__call__", arguments, node)
    if found is not None:
        return found
    for name in ("__call__", "forward"):
        method = state.attribute(function, name, node)
        if isinstance(method, Function):
            return state.call(method, arguments, node)
    return state.unknown(node, *arguments.every())


def _call_method(state: State, function: Attribute, arguments: Arguments, node: ast.AST) -> Value:
    owner = function.owner
    found = state.libraries.call_method(state, owner, function.name, arguments, node)
    if found is not None:
        return found
    if isinstance(owner, Class):
        return state.call(External(owner.where, f"{library_bases(owner)[0]}.{function.name}"), arguments, node)
    package = owner.package if isinstance(owner, External) else ""
    return effects.call_unknown(state, f"{package}.{function.name}", owner, arguments, node)


def _call_library(state: State, function: External, arguments: Arguments, node: ast.AST) -> Value:
    found = state.libraries.call(state, function, arguments, node)
    if found is not None:
        return found
    only = arguments.positional[0] if len(arguments.positional) == 1 and not arguments.named else None
    if isinstance(only, Function):  # a wrapper such as `spaces.GPU(generate)`
        return only
    return effects.call_unknown(state, function.name, function, arguments, node)
