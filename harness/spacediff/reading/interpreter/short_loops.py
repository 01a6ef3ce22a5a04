"""Short loops over known items, such as one that loads each of two LoRAs: the body is followed for each item."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.budget import TooMuchError
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Absent, Either, Items, Unknown, Value, inside

_MOST_ITERATIONS = 8
_MOST_NODES = 400
"""Nodes of a body that is followed for each item."""
_SHARE = 0.2
"""The fraction of the remaining steps that all iterations may spend together."""
_LEAVES = (ast.Break, ast.Continue, ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.For, ast.While, ast.AsyncFor)
"""What a body that is followed for each item does not have."""


def is_short(values: Items, node: ast.For | ast.AsyncFor) -> bool:
    """Return whether a loop can be followed for each of its items: they are known, few, and its body is simple."""
    if values.open or not 1 < len(values.items) <= _MOST_ITERATIONS or not all(map(_is_known, values.items)):
        return False
    count = 0
    for statement in node.body:
        for part in ast.walk(statement):
            count += 1
            if isinstance(part, _LEAVES) or count > _MOST_NODES:
                return False
    return True


def _is_known(value: Value) -> bool:
    """Return whether an item, or each value in a small tuple of them, is no alternative and not unknown."""
    if isinstance(value, Items):
        return not value.open and len(value.items) <= _MOST_ITERATIONS and all(map(_is_known, inside(value)))
    return not isinstance(value, Either | Unknown | Absent)


def follow_each(state: State, node: ast.For | ast.AsyncFor, values: Items) -> bool:
    """Follow the body of a loop for each item; return whether the result counts.

    It does not, and nothing has changed, if the body calls a pipeline, adds to the user interface, ends with an error,
    or takes too much work: such a loop is followed once for all items.
    """
    before, places, cut = state.heap, len(state.conditions), (state.is_cut, state.cut_at)
    counts = [len(record) for record in state.records]
    kept = len(state.calls), len(state.entries), len(state.events), len(state.exports)
    state.heap = before.fork()
    try:
        with state.budget.share(_SHARE):
            reached = all(_followed(state, node, item) for item in values.items)
    except TooMuchError:
        reached = False
    finally:
        del state.conditions[places:]
    if reached and kept == (len(state.calls), len(state.entries), len(state.events), len(state.exports)):
        return True
    state.heap, (state.is_cut, state.cut_at) = before, cut
    for record, count in zip(state.records, counts, strict=True):
        del record[count:]
    return False


def _followed(state: State, node: ast.For | ast.AsyncFor, item: Value) -> bool:
    state.budget.spend()
    state.assign(node.target, item)
    return state.run(node.body)
