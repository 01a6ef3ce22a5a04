"""Functions of lists, dicts and what iterates over them: copies, orders, pairs, and `itertools`."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from spacediff.reading.interpreter.displays import items_of
from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    External,
    Items,
    Known,
    LoadedFile,
    Table,
    Value,
    constants,
    containers,
    keys,
    may_be_absent,
    truth,
)

_MOST_COPIED = 8
"""Levels of nested lists and dicts that a deep copy copies."""

_MOST_COLUMNS = 8
_MOST_ITEMS = 100
_LARGEST_OF_RANGE = 2**32

_ORDERED = Callable[[State, Arguments, ast.AST], Value | None]


class Sequences(Library):
    """Builtin functions and those of `itertools` and `copy` that return a list, a dict, or one of their items."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the result of a function."""
        found = _FUNCTIONS.get(function.name) or _FUNCTIONS.get(f"itertools.{function.name}")
        return found(state, arguments, node) if found is not None else None


def _first_items(state: State, arguments: Arguments, place: int = 0) -> Items | None:
    """Return the items of an argument if all of them are known."""
    first = arguments.get("", place)
    items = items_of(state, first) if first is not None else None
    return items if items is not None and not items.open and len(items.items) <= _MOST_ITEMS else None


def _len(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    first = arguments.get("", 0)
    if isinstance(first, Known) and isinstance(first.value, str) and not isinstance(first, LoadedFile):
        return Known(state.where(node), len(first.value))
    if not isinstance(first, Items | Table) or first.open:
        return None
    items = first.items if isinstance(first, Items) else first.named.values()
    return None if any(may_be_absent(item) for item in items) else Known(state.where(node), len(first.items))


def _range(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the numbers of `range(...)`: all if they are few and known, otherwise an open list."""
    where = state.where(node)
    given = [one.value for one in arguments.positional if isinstance(one, Known) and isinstance(one.value, int)]
    if len(given) == len(arguments.positional) in {1, 2, 3} and all(abs(one) <= _LARGEST_OF_RANGE for one in given):
        numbers = range(*given) if given[2:] != [0] else range(0)
        if len(numbers) <= _MOST_ITEMS:
            return Items(where, tuple(Known(where, number) for number in numbers))
    first = [] if len(arguments.positional) > 1 else [Known(where, 0)]
    return Items(where, tuple(first), open=True)


def _dict(state: State, arguments: Arguments, node: ast.AST) -> Value:
    """Return `dict(...)` of another dict, of pairs, or of keyword arguments."""
    first = arguments.get("", 0)
    if isinstance(first, Table):
        base = Table(state.where(node), first.items, first.open)
    else:
        pairs = _first_items(state, arguments)
        base = Table(state.where(node), (), open=first is not None)
        if pairs is not None and (items := _as_pairs(pairs)) is not None:
            base = Table(state.where(node), items)
    named = Table(state.where(node), tuple(arguments.named.items()), bool(arguments.open))
    made = containers.merged(base, named, state.unknown(node))
    return containers.copied(made, state.heap.identity)


def _as_pairs(pairs: Items) -> tuple[tuple[Any, Value], ...] | None:
    found: dict[Any, Value] = {}
    for pair in pairs.items:
        if not isinstance(pair, Items) or len(pair.items) != len(("key", "value")):
            return None
        key = keys.key_of(pair.items[0])
        if not isinstance(key, Known):
            return None
        found[key.value] = pair.items[1]
    return tuple(found.items())


def _fromkeys(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    items = _first_items(state, arguments)
    value = arguments.get("", 1) or Known(state.where(node), None)
    each = [keys.key_of(item) for item in items.items] if items is not None else []
    known = [one.value for one in each if isinstance(one, Known)]
    if items is None or len(known) < len(each):
        return None
    return Table(state.where(node), tuple(dict.fromkeys(known, value).items()))


def _list(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return `list(...)`, `tuple(...)` or `iter(...)`."""
    if not arguments.every():
        return Items(state.where(node), ())
    first = arguments.positional[0] if arguments.positional else None
    items = items_of(state, first) if first is not None else None
    return replace(items, identity=0) if items is not None else None


def _set(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    items = _list(state, arguments, node)
    return constants.distinct(items) if isinstance(items, Items) else None


def _copy(state: State, arguments: Arguments, _: ast.AST) -> Value | None:
    return _copied(state, arguments, 0)


def _deepcopy(state: State, arguments: Arguments, _: ast.AST) -> Value | None:
    return _copied(state, arguments, _MOST_COPIED)


def _copied(state: State, arguments: Arguments, levels: int) -> Value | None:
    first = arguments.get("x", 0)
    return containers.copied(first, state.heap.identity, levels) if isinstance(first, Items | Table) else None


def _sorted(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return a list in order; it is open if the order is unknown."""
    items = _list(state, Arguments(arguments.positional, {}), node)
    if not isinstance(items, Items):
        return None
    ordered = _in_order(state, items, arguments, node)
    if ordered is None:
        return replace(items, items=(*items.items, state.unknown(node)), open=True)
    return ordered


def _in_order(state: State, items: Items, arguments: Arguments, node: ast.AST) -> Items | None:
    """Return items in the order that `key` and `reverse` give; None if it is unknown."""
    by, downwards = arguments.get("key"), truth(arguments.get("reverse") or Known("", value=False)).certain
    if items.open or downwards is None or len(items.items) > _MOST_ITEMS:
        return None
    each = items.items if by is None else tuple(state.call(by, Arguments([item], {}), node) for item in items.items)
    numbered = Items(items.where, tuple(_sort_key(one) or one for one in each))
    order = containers.sorted_items(numbered)
    if order is None:
        return None
    places = {id(one): place for place, one in enumerate(numbered.items)}
    found = [items.items[places[id(one)]] for one in order.items]
    return replace(items, items=tuple(reversed(found) if downwards else found), identity=0)


def _sort_key(value: Value) -> Value | None:
    """Return what a value is sorted by, as a constant of its own."""
    return replace(value) if isinstance(value, Known) else None


def _most(*, largest: bool) -> _ORDERED:
    """Return what computes `max` or `min` of a list; that of several numbers is computed elsewhere."""

    def of(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
        if len(arguments.positional) != 1:
            return None
        items = _first_items(state, arguments)
        ordered = _in_order(state, items, Arguments([], {**arguments.named}), node) if items is not None else None
        return ordered.items[-1 if largest else 0] if ordered is not None and ordered.items else None

    return of


def _sum(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    items = _first_items(state, arguments)
    if items is None or len(arguments.positional) > 1:
        return None
    total: Value = Known(state.where(node), 0)
    for item in items.items:
        total = constants.binary(ast.Add(), total, item, state.unknown(node, item))
    return total


def _any(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    return _all_or_any(state, arguments, node, stops=True)


def _all(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    return _all_or_any(state, arguments, node, stops=False)


def _all_or_any(state: State, arguments: Arguments, node: ast.AST, *, stops: bool) -> Value | None:
    items = _first_items(state, arguments)
    answers = [truth(item).certain for item in items.items] if items is not None else [None]
    if stops in answers:
        return Known(state.where(node), stops)
    return None if None in answers else Known(state.where(node), not stops)


def _reversed(state: State, arguments: Arguments, _: ast.AST) -> Value | None:
    items = _first_items(state, arguments)
    return replace(items, items=items.items[::-1], identity=0) if items is not None else None


def _next(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the first item of an iterator that is made in the same expression."""
    made = node.args[0] if isinstance(node, ast.Call) and node.args else None
    items = items_of(state, arguments.positional[0]) if arguments.positional else None
    if items is None or not isinstance(made, ast.Call | ast.GeneratorExp):
        return None
    if items.items and not may_be_absent(items.items[0]):
        return items.items[0] if not (items.open and isinstance(made, ast.GeneratorExp)) else None
    return arguments.get("", 1) if not items.open and not items.items else None


def _map(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    columns = [_first_items(state, arguments, place) for place in range(1, len(arguments.positional))]
    known = [column.items for column in columns if column is not None]
    if not known or len(known) < len(columns):
        return None
    function = arguments.positional[0]
    rows = zip(*known, strict=False)
    return Items(state.where(node), tuple(state.call(function, Arguments(list(row), {}), node) for row in rows))


def _filter(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    items = _first_items(state, arguments, 1)
    if items is None:
        return None
    by = arguments.positional[0]
    is_none = isinstance(by, Known)
    kept = [truth(item if is_none else state.call(by, Arguments([item], {}), node)).certain for item in items.items]
    if None in kept:
        return None
    return Items(state.where(node), tuple(item for item, keep in zip(items.items, kept, strict=True) if keep))


def _chain(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    each = [_first_items(state, arguments, place) for place in range(len(arguments.positional))]
    known = [one for one in each if one is not None]
    if len(known) < len(each):
        return None
    return Items(state.where(node), tuple(item for one in known for item in one.items)[:_MOST_ITEMS])


def _chain_of(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    items = _first_items(state, arguments)
    return _chain(state, Arguments(list(items.items), {}), node) if items is not None else None


def _product(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    each = [_first_items(state, arguments, place) for place in range(len(arguments.positional))]
    known = [one.items for one in each if one is not None]
    if len(known) < len(each) or arguments.named:
        return None
    rows = list(itertools.islice(itertools.product(*known), _MOST_ITEMS + 1))
    return _as_list(state, rows, node) if len(rows) <= _MOST_ITEMS else None


def _enumerate(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    iterated, first = arguments.get("iterable", 0), arguments.get("start", 1)
    if iterated is None:
        return None
    start = 0 if first is None else first.value if isinstance(first, Known) else None
    rows = _rows(state, [iterated], node)

    def numbered(place: int, row: Value) -> Value:
        sure = isinstance(start, int) and not rows.open
        number = Known(rows.where, start + place) if isinstance(start, int) and sure else state.unknown(node)
        return Items(rows.where, (number, *row.items)) if isinstance(row, Items) else row

    return replace(rows, items=tuple(numbered(place, row) for place, row in enumerate(rows.items)))


def _zip(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    columns = arguments.positional[:_MOST_COLUMNS]
    return _rows(state, columns, node) if columns else None


def _rows(state: State, columns: Sequence[Value], node: ast.AST) -> Items:
    """Return the rows of several columns; a single unknown one if nothing is known of a column."""
    where = state.where(node)
    each = [items_of(state, column) for column in columns]
    known = [one for one in each if one is not None and (one.items or not one.open)]
    if len(known) < len(columns):
        return Items(where, (Items(where, tuple(state.unknown(node, column) for column in columns)),), open=True)
    listed = _as_list(state, list(zip(*(one.items for one in known), strict=False)), node)
    return replace(listed, open=listed.open or any(one.open for one in known))


def _as_list(state: State, rows: Sequence[tuple[Value, ...]], node: ast.AST) -> Items:
    where = state.where(node)
    return Items(where, tuple(Items(where, row) for row in rows[:_MOST_ITEMS]), open=len(rows) > _MOST_ITEMS)


_FUNCTIONS: dict[str, _ORDERED] = {
    "all": _all,
    "any": _any,
    "copy.copy": _copy,
    "copy.deepcopy": _deepcopy,
    "deepcopy": _deepcopy,
    "dict": _dict,
    "collections.OrderedDict": _dict,
    "OrderedDict": _dict,
    "dict.fromkeys": _fromkeys,
    "enumerate": _enumerate,
    "filter": _filter,
    "frozenset": _set,
    "iter": _list,
    "itertools.chain": _chain,
    "itertools.chain.from_iterable": _chain_of,
    "itertools.product": _product,
    "len": _len,
    "list": _list,
    "map": _map,
    "max": _most(largest=True),
    "min": _most(largest=False),
    "next": _next,
    "range": _range,
    "reversed": _reversed,
    "set": _set,
    "sorted": _sorted,
    "sum": _sum,
    "tuple": _list,
    "zip": _zip,
}
