"""What a list or a dict holds after a method, an item assignment or a loop, as far as that can be known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from spacediff.reading.values.keys import is_unknown, usual_key
from spacediff.reading.values.kinds import (
    Absent,
    Arguments,
    Asked,
    Either,
    Items,
    Key,
    Known,
    Table,
    Unknown,
    Value,
)
from spacediff.reading.values.operations import either, may_be_absent, results_in, results_of

_MOST_ITEMS = 500

_READ_ONLY = frozenset({
    "copy", "get", "keys", "values", "items", "index", "count", "union", "intersection", "difference", "issubset",
    "issuperset", "isdisjoint", "symmetric_difference", "__contains__", "__getitem__", "__len__", "__iter__",
})  # fmt: skip
"""Methods of lists, dicts and sets that change nothing."""


def with_unknown_contents(value: Value, unknown: Unknown) -> Value:
    """Return a list or dict after something that may have changed it in any way: its contents are unknown."""
    results = tuple(dict.fromkeys([*unknown.results, *results_in(value)]))
    anything = replace(unknown, results=results)
    if isinstance(value, Items):
        return replace(value, items=(anything,), open=True)
    if isinstance(value, Table):
        return replace(value, items=tuple((key, anything) for key, _ in value.items), open=True)
    return value


def with_item_set(owner: Value, key: Value | None, value: Value, unknown: Unknown) -> Value:
    """Return a list or dict after `owner[key] = value`; `key` is None for a slice.

    Under a key that the user gives, the value is stored for the default. Under an unknown key, any other item may have
    been replaced.
    """
    if isinstance(owner, Table):
        return _with_item_of_dict_set(owner, key, value, unknown)
    if not isinstance(owner, Items):
        return owner
    place = key.value if isinstance(key, Known) else None
    if isinstance(place, int) and not owner.open and -len(owner.items) <= place < len(owner.items):
        items = list(owner.items)
        items[place] = value
        return replace(owner, items=tuple(items))
    return with_unknown_contents(owner, replace(unknown, results=results_in(value)))


def _with_item_of_dict_set(owner: Table, key: Value | None, value: Value, unknown: Unknown) -> Table:
    if isinstance(key, Either) and not key.decided:
        return _with_one_of_items_set(owner, key, value, unknown)
    stored = usual_key(key) if key is not None else unknown
    if not isinstance(stored, Known):
        return _with_any_item_set(owner, unknown)
    if len(owner.items) >= _MOST_ITEMS and owner.get(stored.value) is None:
        return replace(owner, open=True)
    table = _with_any_item_set(owner, unknown) if is_unknown(stored.value) else owner
    return replace(table.with_item(stored.value, value), open=table.open or isinstance(key, Asked))


def _with_one_of_items_set(owner: Table, key: Either, value: Value, unknown: Unknown) -> Table:
    """Return a dict after one of several items was set."""
    each = [usual_key(option) for option in key.options]
    known = [one for one in each if isinstance(one, Known)]
    if len(known) < len(each) or any(is_unknown(one.value) for one in known):
        return _with_any_item_set(owner, unknown)
    for one in known:
        before = owner.get(one.value) or Absent(unknown.where)
        owner = owner.with_item(one.value, either([value, before], unknown.where))
    return owner


def _with_any_item_set(owner: Table, unknown: Unknown) -> Table:
    each = tuple((name, either([stored, unknown], unknown.where)) for name, stored in owner.items)
    return replace(owner, items=each, open=True)


def without_item(owner: Value, key: Value | None, unknown: Unknown) -> Value:
    """Return a list or dict after `del owner[key]`; `key` is None for a slice."""
    stored = usual_key(key) if key is not None else None
    if isinstance(owner, Table) and isinstance(stored, Known) and not is_unknown(stored.value):
        return owner.without(stored.value)
    if isinstance(owner, Items) and isinstance(key, Known) and isinstance(key.value, int) and not owner.open:
        return _popped(owner, key.value) or with_unknown_contents(owner, unknown)
    return with_unknown_contents(owner, unknown)


def may_change(name: str) -> bool:
    """Return whether the list or dict method of this name may change its owner."""
    return name not in _READ_ONLY


def after_method(
    owner: Value,
    name: str,
    arguments: Arguments,
    unknown: Unknown,
    as_table: Callable[[Value], Table],
    *,
    repeated: bool,
) -> Value:
    """Return a list or dict after a call of one of its methods.

    Args:
        owner: The list or dict.
        name: The method.
        arguments: The arguments of the call.
        unknown: Stands for contents that cannot be known.
        as_table: Converts a value to keyword arguments.
        repeated: Whether the call may happen any number of times, as in a loop.
    """
    made: Value | None = None
    if isinstance(owner, Table):
        made = _of_dict(owner, name, arguments, unknown, as_table)
    elif isinstance(owner, Items) and not arguments.open:
        made = _of_list(owner, name, arguments, repeated=repeated)
    return made or with_unknown_contents(owner, replace(unknown, results=results_of(arguments)))


def _of_list(owner: Items, name: str, arguments: Arguments, *, repeated: bool) -> Items | None:
    first = arguments.get("", 0)
    if len(owner.items) > _MOST_ITEMS:
        return None
    if name == "append" and first is not None:
        return replace(owner, items=(*owner.items, first), open=owner.open or repeated)
    if name == "extend" and isinstance(first, Items):
        return replace(owner, items=(*owner.items, *first.items), open=owner.open or first.open or repeated)
    if name == "clear":
        return replace(owner, items=(), open=False)
    return None if repeated or owner.open else _of_closed_list(owner, name, arguments)


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
        return sorted_items(owner)
    if name == "pop":
        return _popped(owner, -1 if first is None else place)
    return None


def _popped(owner: Items, place: int | None) -> Items | None:
    items = list(owner.items)
    if place is None or not -len(items) <= place < len(items):
        return None
    del items[place]
    return replace(owner, items=tuple(items))


def sorted_items(owner: Items) -> Items | None:
    """Return a list of constants in ascending order; None if the order cannot be known."""
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
    first = usual_key(first) if first is not None else None
    if not isinstance(first, Known):
        return None
    if name == "pop":
        return owner.without(first.value)
    if name == "setdefault":
        stored, default = owner.get(first.value), arguments.get("default", 1) or Known(unknown.where, None)
        if stored is None and owner.open:
            return owner.with_item(first.value, either([default, unknown], unknown.where))
        return owner.with_item(first.value, default if stored is None else with_default(stored, default))
    return None


def in_any_iteration(value: Value, left: Mapping[int, Sequence[Value]], unknown: Unknown) -> Value:
    """Return a list or dict as the body of a loop finds it in any iteration.

    Args:
        value: As the first iteration finds it.
        left: Identity to the same list or dict after the first iteration.
        unknown: Stands for what later iterations may put into it.
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
    return with_unknown_contents(value, unknown)


def _begins_with(longer: Items, value: Items) -> bool:
    pairs = zip(longer.items, value.items, strict=False)
    return len(longer.items) >= len(value.items) and all(one is other for one, other in pairs)


def with_default(stored: Value, default: Value) -> Value:
    """Return a value with a default on the branches where it is absent."""
    if isinstance(stored, Either) and may_be_absent(stored):
        kept = [default if may_be_absent(option) else option for option in stored.options]
        return either(kept, stored.where, decided=stored.decided, only_if=stored.only_if)
    return default if may_be_absent(stored) else stored


def merged(owner: Table, other: Table, unknown: Unknown) -> Table:
    """Return `{**owner, **other}`; items that an open `other` may have overwritten are unknown."""
    stored: dict[Key, Value] = {key: unknown if other.open else value for key, value in owner.items}
    for key, value in other.items:
        stored[key] = with_default(value, stored[key]) if key in stored else value
    return replace(owner, items=tuple(stored.items()), open=owner.open or other.open)


def copied(value: Value, identity: Callable[[], int], depth: int = 0) -> Value:
    """Return a copy of a list or dict with a new identity; `depth` levels of inner ones are copied too."""
    if isinstance(value, Items):
        items = tuple(copied(item, identity, depth - 1) for item in value.items) if depth else value.items
        return replace(value, items=items, identity=identity())
    if isinstance(value, Table):
        pairs = tuple((key, copied(item, identity, depth - 1)) for key, item in value.items) if depth else value.items
        return replace(value, items=pairs, identity=identity())
    if isinstance(value, Either):
        return replace(value, options=tuple(copied(option, identity, depth) for option in value.options))
    return value
