"""Expressions, evaluated by the kind of their node."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from spacediff.reading.interpreter import attributes, calls, comprehensions, displays, functions
from spacediff.reading.interpreter.budget import TooDeepError
from spacediff.reading.interpreter.displays import with_identity
from spacediff.reading.interpreter.records import Condition, words_of
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    External,
    Function,
    Items,
    Known,
    Truth,
    Unknown,
    Value,
    all_of,
    constants,
    either,
    lift,
    negated,
    opposite,
    truth,
)

_CREATE_NOTHING = ast.Name | ast.Constant | ast.Attribute | ast.Starred
"""Expressions whose value exists already."""


def evaluate(state: State, node: ast.expr | None) -> Value:
    """Return the value of an expression; of a kind that is not listed, or nested too deeply, it is unknown."""
    if node is None:
        return Known(state.where(ast.Pass()), None)
    try:
        state.enter()
    except TooDeepError:
        return Unknown(state.where(node), state.words(node))
    try:
        value = EXPRESSIONS.get(type(node), _unknown_expression)(state, node)
        return value if isinstance(node, _CREATE_NOTHING) else state.within_memory(value, node)
    finally:
        state.leave()


def _unknown_expression(state: State, node: ast.expr) -> Value:
    """Evaluate the parts for what they do; the whole is unknown."""
    parts = [state.evaluate(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    return state.unknown(node, *parts)


def _constant(state: State, node: ast.Constant) -> Value:
    return constants.constant(node.value, state.where(node), state.unknown(node))


def _name(state: State, node: ast.Name) -> Value:
    value = state.look_up(node.id)
    return External(state.where(node), node.id) if value is None else value


def _named_expression(state: State, node: ast.NamedExpr) -> Value:
    value = state.evaluate(node.value)
    scopes, inner = state.frame.scopes, state.frame.comprehensions
    state.frame.scopes, state.frame.comprehensions = scopes[inner:], 0
    try:
        state.assign(node.target, value)
    finally:
        state.frame.scopes, state.frame.comprehensions = scopes, inner
    return value


def _inner(state: State, node: ast.Await | ast.Starred) -> Value:
    return state.evaluate(node.value)


def _yield(state: State, node: ast.Yield | ast.YieldFrom) -> Value:
    value = state.evaluate(node.value)
    state.frame.yields.append(value)
    at_yield, state.frame.at_yield = state.frame.at_yield, None
    if at_yield is not None:
        at_yield(value)
    return state.unknown(node)


def _lambda(state: State, node: ast.Lambda) -> Value:
    return Function(
        state.where(node), node, state.frame.scopes, state.frame.source.name, functions.defaults_of(state, node.args)
    )


def _f_string(state: State, node: ast.JoinedStr) -> Value:
    parts: list[Value] = []
    for part in node.values:
        value = state.evaluate(part.value if isinstance(part, ast.FormattedValue) else part)
        plain = not isinstance(part, ast.FormattedValue) or (part.format_spec is None and part.conversion == -1)
        parts.append(value if plain else _formatted(state, part, value))
    return lift(lambda *values: constants.text(values, state.unknown(node, *values)), parts)


def _formatted(state: State, part: ast.expr, value: Value) -> Value:
    if not isinstance(part, ast.FormattedValue):
        return value
    spec = state.evaluate(part.format_spec) if part.format_spec else Known(value.where, "")
    return lift(
        lambda inner, how: constants.formatted(inner, how, part.conversion, state.unknown(part, inner)), [value, spec]
    )


def _binary(state: State, node: ast.BinOp) -> Value:
    sides = [state.evaluate(node.left), state.evaluate(node.right)]
    state.libraries.on_computed(state, node, *sides)
    made = lift(lambda left, right: constants.binary(node.op, left, right, state.unknown(node, left, right)), sides)
    is_tuple = isinstance(sides[0], Items) and not sides[0].identity
    return made if is_tuple else with_identity(state, made)


def _unary(state: State, node: ast.UnaryOp) -> Value:
    value = state.evaluate(node.operand)
    if isinstance(node.op, ast.Not):
        condition = negated(truth(value))
        return _truth_as_value(state, condition, node, value)
    return lift(lambda inner: constants.unary(node.op, inner, state.unknown(node, inner)), [value])


def _truth_as_value(state: State, condition: Truth, node: ast.expr, value: Value) -> Value:
    if condition.certain is not None:
        return Known(state.where(node), condition.certain)
    if condition.usual is not None:
        options = [Known(state.where(node), condition.usual), Known(state.where(node), not condition.usual)]
        words = state.words(node)
        only_if = [words, opposite(words)] if condition.usual else [opposite(words), words]
        return either(options, state.where(node), decided=True, only_if=only_if)
    return state.unknown(node, value)


def _comparison(state: State, node: ast.Compare) -> Value:
    sides = [state.evaluate(side) for side in (node.left, *node.comparators)]
    return lift(lambda *values: constants.compared(node.ops, values, state.unknown(node)), sides)


def _and_or(state: State, node: ast.BoolOp) -> Value:
    stops = isinstance(node.op, ast.Or)
    options: list[Value] = []
    only_if: list[str] = []
    usual: int | None = None
    decided = True
    count = len(state.conditions)
    try:
        for operand in node.values:
            value = state.evaluate(operand)
            condition = truth(value)
            words = state.words(operand)
            before = words_of(state.conditions[count:])
            last = operand is node.values[-1]
            if condition.certain is None or condition.certain is stops or last:
                options.append(value)
                only_if.append(before if last else all_of(before, words if stops else opposite(words)))
                if usual is None and (condition.usual is stops or last):
                    usual = len(options) - 1
            decided = decided and (condition.usual is not None or usual is not None)
            if condition.certain is stops:
                break
            goes_on = negated(condition) if stops else condition
            state.conditions.append(Condition(opposite(words) if stops else words, goes_on.usual))
    finally:
        del state.conditions[count:]
    if decided and usual:
        options.insert(0, options.pop(usual))
        only_if.insert(0, only_if.pop(usual))
    return either(options, state.where(node), decided=decided, only_if=only_if)


def _conditional(state: State, node: ast.IfExp) -> Value:
    condition = truth(state.evaluate(node.test))
    if condition.certain is not None:
        return state.evaluate(node.body if condition.certain else node.orelse)
    first, second = (node.body, node.orelse) if condition.usual is not False else (node.orelse, node.body)
    words = state.words(node.test)
    only_if = [words, opposite(words)] if first is node.body else [opposite(words), words]
    decided = condition.usual is not None
    before, heaps, options = state.heap, [], []
    for side, text in zip((first, second), only_if, strict=True):
        state.heap = before.fork()
        options.append(_under(state, Condition(text, side is first if decided else None), side))
        heaps.append(state.heap)
    state.heap = heaps[0]
    state.heap.join(heaps[1], state.where(node), decided=decided, only_if=only_if)
    return either(options, state.where(node), decided=decided, only_if=only_if)


def _under(state: State, condition: Condition, node: ast.expr) -> Value:
    """Evaluate an expression that is reached under a condition."""
    state.conditions.append(condition)
    try:
        return state.evaluate(node)
    finally:
        state.conditions.pop()


EXPRESSIONS: dict[type[ast.expr], Callable[[State, Any], Value]] = {
    ast.Attribute: attributes.attribute_expression,
    ast.Await: _inner,
    ast.BinOp: _binary,
    ast.BoolOp: _and_or,
    ast.Call: calls.call_expression,
    ast.Compare: _comparison,
    ast.Constant: _constant,
    ast.Dict: displays.dict_display,
    ast.DictComp: comprehensions.dict_comprehension,
    ast.GeneratorExp: comprehensions.comprehension,
    ast.IfExp: _conditional,
    ast.JoinedStr: _f_string,
    ast.Lambda: _lambda,
    ast.List: displays.list_display,
    ast.ListComp: comprehensions.comprehension,
    ast.Name: _name,
    ast.NamedExpr: _named_expression,
    ast.Set: displays.set_display,
    ast.SetComp: comprehensions.comprehension,
    ast.Starred: _inner,
    ast.Subscript: attributes.subscript,
    ast.Tuple: displays.list_display,
    ast.UnaryOp: _unary,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
}
"""Kind of expression to what evaluates it."""
