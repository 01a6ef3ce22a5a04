"""Lists and dicts that are changed in place: what a method makes of them, and what nobody can tell any more.

The key insight is that a name holds a list and is none: a change holds under every name, so lists and dicts carry an
identity, and a change is made wherever that identity is found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from spacediff.reading.values.kinds import (
    Absent,
    Arguments,
    Asked,
    Either,
    Function,
    Items,
    Key,
    Known,
    Partial,
    Table,
    Unknown,
    Value,
    either,
    inside,
    may_miss,
    results_in,
)

_Name = TypeVar("_Name")
_DEEPEST = 40
_MOST_ITEMS = 500
_READING = frozenset({
    "copy", "get", "keys", "values", "items", "index", "count", "union", "intersection", "difference", "issubset",
    "issuperset", "isdisjoint", "symmetric_difference", "__contains__", "__getitem__", "__len__", "__iter__",
})  # fmt: skip
"""Methods of lists, dicts and sets that change nothing."""


def identities(values: Iterable[Value]) -> set[int]:
    """Return the identities of all lists and dicts that values are made of."""
    found: set[int] = set()
    seen: set[int] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Items | Table) and value.identity:
            found.add(value.identity)
        waiting.extend(inside(value))
    return found


class Change:
    """A change of the lists and dicts that have some identities, wherever they lie; each is changed once."""

    def __init__(self, wanted: Collection[int], change: Callable[[Value], Value]) -> None:
        self._wanted = wanted
        self._change = change
        self._done: dict[int, tuple[Value, Value]] = {}

    def within(self, value: Value, depth: int = 0) -> Value:
        """Return a value with the change made; the value itself where it holds nothing that is changed."""
        if not isinstance(value, Items | Table | Either | Asked | Partial | Function):
            return value
        if depth > _DEEPEST:
            return Unknown(value.where, "nested too deeply", results_in(value))
        if id(value) not in self._done:
            self._done[id(value)] = value, self._parts(value, depth + 1)
        return self._done[id(value)][1]

    def _parts(self, value: Value, depth: int) -> Value:  # noqa: PLR0911 - one way out for each kind
        if isinstance(value, Items):
            items = self._each(value.items, depth)
            inner = value if items is value.items else replace(value, items=items)
            return self._change(inner) if value.identity in self._wanted else inner
        if isinstance(value, Table):
            pairs = self._pairs(value.items, depth)
            table = value if pairs is value.items else replace(value, items=pairs)
            return self._change(table) if value.identity in self._wanted else table
        if isinstance(value, Either):
            options = self._each(value.options, depth)
            return value if options is value.options else either(options, value.where, decided=value.decided)
        if isinstance(value, Asked):
            default = self.within(value.value, depth)
            return value if default is value.value else replace(value, value=default)
        if isinstance(value, Partial):
            positional, named = self._each(value.positional, depth), self._pairs(value.named, depth)
            same = positional is value.positional and named is value.named
            return value if same else replace(value, positional=positional, named=named)
        if isinstance(value, Function):
            defaults = self._pairs(value.defaults, depth)
            return value if defaults is value.defaults else replace(value, defaults=defaults)
        return value

    def _each(self, values: tuple[Value, ...], depth: int) -> tuple[Value, ...]:
        made = tuple(self.within(value, depth) for value in values)
        return values if all(new is old for new, old in zip(made, values, strict=True)) else made

    def _pairs(self, pairs: tuple[tuple[_Name, Value], ...], depth: int) -> tuple[tuple[_Name, Value], ...]:
        made = tuple((name, self.within(value, depth)) for name, value in pairs)
        same = all(new[1] is old[1] for new, old in zip(made, pairs, strict=True))
        return pairs if same else made


def spoiled(value: Value, unknown: Unknown) -> Value:
    """Return a list or dict after something that may have changed it in any way."""
    results = tuple(dict.fromkeys([*unknown.results, *results_in(value)]))
    anything = replace(unknown, results=results)
    if isinstance(value, Items):
        return replace(value, items=(anything,), open=True)
    if isinstance(value, Table):
        return replace(value, items=tuple((key, anything) for key, _ in value.items), open=True)
    return value


def with_item_set(owner: Value, key: Value | None, value: Value, unknown: Unknown) -> Value:
    """Return a list or dict with an item set; `key` is None for a slice."""
    if isinstance(owner, Table):
        if isinstance(key, Known) and len(owner.items) < _MOST_ITEMS:
            return owner.with_item(key.value, value)
        each = tuple((name, either([held, unknown], unknown.where)) for name, held in owner.items)
        return replace(owner, items=each, open=True)
    if not isinstance(owner, Items):
        return owner
    place = key.value if isinstance(key, Known) else None
    if isinstance(place, int) and not owner.open and -len(owner.items) <= place < len(owner.items):
        items = list(owner.items)
        items[place] = value
        return replace(owner, items=tuple(items))
    return spoiled(owner, replace(unknown, results=results_in(value)))


def without_item(owner: Value, key: Value | None, unknown: Unknown) -> Value:
    """Return a list or dict after `del` of an item."""
    if isinstance(owner, Table) and isinstance(key, Known):
        return owner.without(key.value)
    if isinstance(owner, Items) and isinstance(key, Known) and isinstance(key.value, int) and not owner.open:
        return _popped(owner, key.value) or spoiled(owner, unknown)
    return spoiled(owner, unknown)


def changes(name: str) -> bool:
    """Return whether a method of a list or dict may change it."""
    return name not in _READING


def changed(
    owner: Value, name: str, arguments: Arguments, unknown: Unknown, as_table: Callable[[Value], Table], *, again: bool
) -> Value:
    """Return a list or dict after a method that may change it.

    Args:
        owner: The list or dict.
        name: The method.
        arguments: What it is given.
        unknown: Stands for what cannot be told.
        as_table: Gives a value as keyword arguments.
        again: Whether this may happen any number of times.
    """
    made: Value | None = None
    if isinstance(owner, Table):
        made = _of_dict(owner, name, arguments, unknown, as_table)
    elif isinstance(owner, Items) and not arguments.open:
        made = _of_list(owner, name, arguments, again=again)
    return made or spoiled(owner, replace(unknown, results=tuple(_results(arguments))))


def _results(arguments: Arguments) -> list[int]:
    return [result for value in arguments.every() for result in results_in(value)]


def _of_list(owner: Items, name: str, arguments: Arguments, *, again: bool) -> Items | None:
    first = arguments.get("", 0)
    if len(owner.items) > _MOST_ITEMS:
        return None
    if name == "append" and first is not None:
        return replace(owner, items=(*owner.items, first), open=owner.open or again)
    if name == "extend" and isinstance(first, Items):
        return replace(owner, items=(*owner.items, *first.items), open=owner.open or first.open or again)
    if name == "clear":
        return replace(owner, items=(), open=False)
    return None if again or owner.open else _of_closed_list(owner, name, arguments)


def _of_closed_list(owner: Items, name: str, arguments: Arguments) -> Items | None:
    first, second = arguments.get("", 0), arguments.get("", 1)
    place = first.value if isinstance(first, Known) and isinstance(first.value, int) else None
    if name == "insert" and place is not None and second is not None:
        items = list(owner.items)
        items.insert(place, second)
        return replace(owner, items=tuple(items))
    if name == "reverse":
        return replace(owner, items=owner.items[::-1])
    if name == "sort" and not arguments.every():
        return in_order(owner)
    if name == "pop":
        return _popped(owner, -1 if first is None else place)
    return None


def _popped(owner: Items, place: int | None) -> Items | None:
    items = list(owner.items)
    if place is None or not -len(items) <= place < len(items):
        return None
    del items[place]
    return replace(owner, items=tuple(items))


def in_order(owner: Items) -> Items | None:
    """Return a list of constants sorted; None where its order is not known."""
    known = [item for item in owner.items if isinstance(item, Known)]
    if owner.open or len(known) < len(owner.items):
        return None
    numbers = [(item.value, item) for item in known if isinstance(item.value, int | float)]
    texts = [(item.value, item) for item in known if isinstance(item.value, str)]
    if len(numbers) == len(known):
        return replace(owner, items=tuple(item for _, item in sorted(numbers, key=lambda pair: pair[0])))
    if len(texts) == len(known):
        return replace(owner, items=tuple(item for _, item in sorted(texts, key=lambda pair: pair[0])))
    return None


def _of_dict(  # noqa: PLR0911 - one way out for each kind
    owner: Table, name: str, arguments: Arguments, unknown: Unknown, as_table: Callable[[Value], Table]
) -> Table | None:
    first = arguments.get("", 0)
    if len(owner.items) > _MOST_ITEMS:
        return None
    if name in {"update", "__ior__"} and len(arguments.positional) <= 1:
        table = as_table(first) if first is not None else Table(owner.where, ())
        named = Table(owner.where, tuple(arguments.named.items()), bool(arguments.open))
        return merged(merged(owner, table, unknown), named, unknown)
    if name == "clear":
        return replace(owner, items=(), open=False)
    if not isinstance(first, Known):
        return None
    if name == "pop":
        return owner.without(first.value)
    if name == "setdefault":
        held, default = owner.get(first.value), arguments.get("default", 1) or Known(unknown.where, None)
        if held is None and owner.open:
            return owner.with_item(first.value, unknown)
        return owner.with_item(first.value, default if held is None else filled(held, default))
    return None


def in_any_round(value: Value, left: Mapping[int, Sequence[Value]], unknown: Unknown) -> Value:
    """Return a list or dict as a loop's body finds it in any round.

    Args:
        value: As the first round finds it.
        left: Identity to what the first round leaves.
        unknown: Stands for what later rounds may make of it.
    """
    if isinstance(value, Table):
        after = [one for one in left.get(value.identity, ()) if isinstance(one, Table)]
        keys = dict.fromkeys(key for table in (value, *after) for key, _ in table.items)
        made: dict[Key, Value] = {}
        for key in keys:
            each = [table.get(key) for table in (value, *after)]
            same = each[0] is not None and all(one is each[0] for one in each)
            options = [one or Absent(unknown.where) for one in each]
            made[key] = options[0] if same else either([*options, unknown], unknown.where)
        return replace(value, items=tuple(made.items()), open=value.open or any(table.open for table in after))
    if isinstance(value, Items):
        longer = [one for one in left.get(value.identity, ()) if isinstance(one, Items)]
        if all(_begins_with(one, value) for one in longer):
            return replace(value, open=True)
    return spoiled(value, unknown)


def _begins_with(longer: Items, value: Items) -> bool:
    pairs = zip(longer.items, value.items, strict=False)
    return len(longer.items) >= len(value.items) and all(one is other for one, other in pairs)


def filled(held: Value, default: Value) -> Value:
    """Return a value with a default on the branches on which there is none."""
    if isinstance(held, Either) and may_miss(held):
        kept = [default if may_miss(option) else option for option in held.options]
        return either(kept, held.where, decided=held.decided)
    return default if may_miss(held) else held


def merged(owner: Table, other: Table, unknown: Unknown) -> Table:
    """Return a dict with another laid over it; what an open one may have overwritten is unknown."""
    held: dict[Key, Value] = {key: unknown if other.open else value for key, value in owner.items}
    for key, value in other.items:
        held[key] = filled(value, held[key]) if key in held else value
    return replace(owner, items=tuple(held.items()), open=owner.open or other.open)


def anew(value: Value, identity: Callable[[], int], depth: int = 0) -> Value:
    """Return a list or dict as a copy with an identity of its own, and so for `depth` levels within."""
    if isinstance(value, Items):
        items = tuple(anew(item, identity, depth - 1) for item in value.items) if depth else value.items
        return replace(value, items=items, identity=identity())
    if isinstance(value, Table):
        pairs = tuple((key, anew(item, identity, depth - 1)) for key, item in value.items) if depth else value.items
        return replace(value, items=pairs, identity=identity())
    if isinstance(value, Either):
        return replace(value, options=tuple(anew(option, identity, depth) for option in value.options))
    return value
