"""Loops: the body is followed once, for all iterations, or for each item of a short list.

The key insight is that one iteration shows everything unless a value is carried from one iteration to the next. So what
the body reads before it sets it is unknown in the body, except in the first iteration, and after the loop.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import partial

from spacediff.reading.interpreter.carried import carried_over
from spacediff.reading.interpreter.displays import element_of, items_of
from spacediff.reading.interpreter.heap import Heap
from spacediff.reading.interpreter.short_loops import follow_each, is_short
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Absent,
    Asked,
    Items,
    Known,
    Value,
    alternatives,
    containers,
    either,
    truth,
)
from spacediff.reading.values.identity import identities


def follow_for(state: State, node: ast.For | ast.AsyncFor) -> bool:
    """Follow a `for`, with any of its elements as the target."""
    value = state.evaluate(node.iter)
    values = items_of(state, value) or value
    known = isinstance(values, Items) and bool(values.items)
    if isinstance(values, Items) and not values.items and not values.open:
        return state.run(node.orelse)
    if isinstance(values, Items) and is_short(values, node) and follow_each(state, node, values):
        return state.run(node.orelse)
    once = isinstance(values, Items) and len(values.items) == 1 and not values.open
    return _follow_loop(state, node, element_of(state, values, node.iter), once=once, sure=known)


def follow_while(state: State, node: ast.While) -> bool:
    """Follow a `while`."""
    condition = truth(state.evaluate(node.test))
    if condition.certain is False:
        return state.run(node.orelse)
    return _follow_loop(state, node, None, once=False, sure=condition.certain is True)


def _follow_loop(
    state: State, node: ast.For | ast.AsyncFor | ast.While, element: Value | None, *, once: bool, sure: bool
) -> bool:
    """Follow the body of a loop.

    Args:
        state: What follows the source.
        node: The loop.
        element: The value of its target; None for a `while`.
        once: Whether it has exactly one iteration.
        sure: Whether it has at least one.
    """
    before = state.heap
    state.heap = before.fork()
    targets = [] if once else carried_over(state, node)
    for target in targets:
        state.assign(target, either([state.evaluate(target), state.unknown(node)], state.where(node)))
    if once:
        ends = _one_iteration(state, node, element)
    else:
        state.loop_starts.append(state.heap.identity())
        state.changed_in_loop.append(set())
        try:
            ends = _all_iterations(state, node, element, targets)
        finally:
            state.loop_starts.pop()
            inner = state.changed_in_loop.pop()
            if state.changed_in_loop:
                state.changed_in_loop[-1] |= inner
    if not _join_ends(state, ends if sure else [*ends, before], node):
        return False
    for target in targets:
        state.assign(target, _after_loop(state, state.evaluate(target), node))
    return state.run(node.orelse)


def _all_iterations(
    state: State, node: ast.For | ast.AsyncFor | ast.While, element: Value | None, targets: Sequence[ast.expr]
) -> list[Heap]:
    """Follow the body for all iterations, again as long as one leaves other lists and dicts than it found."""
    start, records, unknown = state.heap, state.records, state.unknown(node)
    counts = [len(record) for record in records]
    unstable: set[int] = set()
    while True:
        state.heap = start.fork()
        ends = _one_iteration(state, node, element)
        changed = {identity for identity in state.changed_in_loop[-1] if identity < state.loop_starts[-1]} - unstable
        others = _also_changed(state, targets, start, ends) - unstable
        if not (changed or others) or not ends:
            return ends
        for record, count in zip(records, counts, strict=True):
            del record[count:]
        left: dict[int, list[Value]] = {}
        for heap in ends:
            start.adopt(heap)
            for value in heap.find(changed):
                left.setdefault(value.identity, []).append(value)
        start.change(changed - others, partial(containers.in_any_iteration, left=left, unknown=unknown))
        start.change(others, partial(containers.with_unknown_contents, unknown=unknown))
        unstable |= changed | others


def _also_changed(state: State, targets: Sequence[ast.expr], start: Heap, ends: Sequence[Heap]) -> set[int]:
    """Return the lists and dicts that get, for the next iteration, a name under which the body changes another one."""
    found: set[int] = set()
    for target in targets:
        each: list[set[int]] = []
        for state.heap in (start, *ends):
            each.append(identities([state.evaluate(target)]))
        if each[0] & state.changed_in_loop[-1]:
            found |= set().union(*each[1:]) - each[0]
    return {identity for identity in found if identity < state.loop_starts[-1]}


def _one_iteration(state: State, node: ast.For | ast.AsyncFor | ast.While, element: Value | None) -> list[Heap]:
    """Follow the body once; return the heaps that it leaves."""
    outer, state.frame.iterations = state.frame.iterations, []
    conditions = len(state.conditions)
    try:
        if element is not None and isinstance(node, ast.For | ast.AsyncFor):
            state.assign(node.target, element)
        ends = [state.heap] if state.run(node.body) else []
        return ends + [heap for heap in state.frame.iterations if heap not in ends]
    finally:
        state.frame.iterations = outer
        del state.conditions[conditions:]


def _join_ends(state: State, ends: list[Heap], node: ast.AST) -> bool:
    for number, heap in enumerate(ends):
        if number == 0:
            state.heap = heap
        else:
            state.heap.join(heap, state.where(node), decided=False)
    return bool(ends)


def _after_loop(state: State, value: Value, node: ast.AST) -> Value:
    """Return a carried value after the loop: not a constant that a single iteration gave."""
    kept = [option for option in alternatives(value) if not isinstance(option, Known | Asked | Absent)]
    return either([*kept, state.unknown(node, value)], state.where(node))


def leave_iteration(state: State, _: ast.Break | ast.Continue) -> bool:
    """Follow `break` or `continue`."""
    state.frame.iterations.append(state.heap)
    return False
