"""Comprehensions: computed item by item over what is known, otherwise followed once for any item.

The key insight is that presets are made by comprehensions over constants, and frames by comprehensions that call
models. The first kind is computed. The second is followed once, as a loop is, and writes down what it does once.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from typing import TypeVar

from spacediff.reading.interpreter.displays import element_of, items_of
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Items,
    Object,
    Table,
    Unknown,
    Value,
    containers,
    results_in,
    truth,
)

_MOST_COMPUTED = 100
"""Items of a comprehension that is computed."""

_T = TypeVar("_T")
_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class _NotComputedError(Exception):
    """A comprehension has too many items, or an unknown number of them."""


def comprehension(state: State, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Value:
    """Evaluate a comprehension; it is open if its length is unknown, and unknown if its items are."""
    computed = _computed(state, node, [node.elt])
    if computed is not None:
        return Items(state.where(node), tuple(one for (one,) in computed), identity=state.heap.identity())
    inside, parts = _in_own_scope(state, lambda: _for_any_item(state, node, [node.elt]))
    part, source = parts[0], inside[0]
    is_new = isinstance(part, Object) or isinstance(items_of(state, source), Items)
    if results_in(part) or (is_new and not results_in(source)):
        return Items(state.where(node), tuple(parts), open=True, identity=state.heap.identity())
    return state.unknown(node, *parts, *inside)


def dict_comprehension(state: State, node: ast.DictComp) -> Value:
    """Evaluate a dict comprehension; one that is not computed is open and has no known keys."""
    where, computed = state.where(node), _computed(state, node, [node.key, node.value])
    made = Table(where, (), identity=state.heap.identity())
    if computed is None:
        _in_own_scope(state, lambda: _for_any_item(state, node, [node.key, node.value]))
        return Table(where, (), open=True, identity=made.identity)
    unknown: Unknown = state.unknown(node)
    for key, value in computed:
        stored = containers.with_item_set(made, key, value, unknown)
        made = stored if isinstance(stored, Table) else made
    return made


def _computed(state: State, node: _Comprehension, parts: list[ast.expr]) -> list[list[Value]] | None:
    """Return the parts for each item; None if the items are unknown, or if something happens while they are made."""
    before, counts = state.heap.fork(), [len(record) for record in state.records]
    found: list[list[Value]] | None
    try:
        found = _in_own_scope(state, lambda: _all(_each(state, node.generators, parts)))
    except _NotComputedError:
        found = None
    if found is not None and [len(record) for record in state.records] == counts:
        return found
    state.heap = before
    for record, count in zip(state.records, counts, strict=True):
        del record[count:]
    return None


def _all(rows: Iterator[list[Value]]) -> list[list[Value]]:
    found = list(itertools.islice(rows, _MOST_COMPUTED + 1))
    if len(found) > _MOST_COMPUTED:
        raise _NotComputedError
    return found


def _each(state: State, loops: list[ast.comprehension], parts: list[ast.expr]) -> Iterator[list[Value]]:
    """Yield the parts for each item of the first loop and of those inside it."""
    if not loops:
        yield [state.evaluate(part) for part in parts]
        return
    loop, inner = loops[0], loops[1:]
    items = items_of(state, state.evaluate(loop.iter))
    if items is None or items.open or len(items.items) > _MOST_COMPUTED:
        raise _NotComputedError
    for item in items.items:
        state.assign(loop.target, item)
        if all(_is_kept(state, test) for test in loop.ifs):
            yield from _each(state, inner, parts)


def _is_kept(state: State, test: ast.expr) -> bool:
    certain = truth(state.evaluate(test)).certain
    if certain is None:
        raise _NotComputedError
    return certain


def _for_any_item(state: State, node: _Comprehension, parts: list[ast.expr]) -> tuple[list[Value], list[Value]]:
    """Return the values that a comprehension iterates over, and its parts for any item."""
    inside: list[Value] = []
    for loop in node.generators:
        inside.append(state.evaluate(loop.iter))
        state.assign(loop.target, element_of(state, inside[-1], loop.iter))
        for test in loop.ifs:
            state.evaluate(test)
    return inside, [state.evaluate(part) for part in parts]


def _in_own_scope(state: State, follow: Callable[[], _T]) -> _T:
    """Follow something in the scope of a comprehension."""
    scopes = state.frame.scopes
    state.frame.scopes = (state.heap.new(), *scopes)
    state.frame.comprehensions += 1
    try:
        return follow()
    finally:
        state.frame.scopes = scopes
        state.frame.comprehensions -= 1
