"""What an expression may be without running it: a constant, one of several, an input, an object, or unknown.

The key insight is that not knowing has kinds. An input has a default, a branch has sides, the result of a pipeline is
known to be one: so each kind is a value of its own, and operations pass through them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from spacediff.reading.model import Input

MOST_OPTIONS = 8
"""Alternatives that one value may have; more are of no use to anybody."""

_MOST_LOOKED_AT = 200
_MOST_COMBINED = 64
"""Combinations of alternatives for which one expression is computed."""

Key = str | float | bool | None
"""A constant that a dict holds something under; Python's own rules say which are equal."""


@dataclass(frozen=True, slots=True)
class Value:
    """Base of all values; `where` is the file and line on which it was written."""

    where: str


@dataclass(frozen=True, slots=True)
class Known(Value):
    """A constant."""

    value: str | float | bool | None


@dataclass(frozen=True, slots=True)
class Unknown(Value):
    """A value that cannot be told; `results` are the pipeline calls that it came out of, the latest first."""

    text: str
    results: tuple[int, ...] = ()
    random: bool = False


@dataclass(frozen=True, slots=True)
class Absent(Value):
    """Nothing was said on this side of a branch."""


@dataclass(frozen=True, slots=True)
class Asked(Value):
    """A value from the user, with what it is by default."""

    source: Input
    value: Value


@dataclass(frozen=True, slots=True)
class Either(Value):
    """One of several; the first is the usual one where `decided`."""

    options: tuple[Value, ...]
    decided: bool


@dataclass(frozen=True, slots=True)
class External(Value):
    """Something of a library, by its dotted name."""

    name: str


@dataclass(frozen=True, slots=True)
class Items(Value):
    """A list, tuple or set; `open` when it may hold more.

    `identity` is the same wherever the source holds the same list; 0 for what cannot be changed in place.
    """

    items: tuple[Value, ...]
    open: bool = False
    identity: int = 0


@dataclass(frozen=True, slots=True)
class Table(Value):
    """A dict with constant keys; `open` when it may hold more; `identity` as that of a list."""

    items: tuple[tuple[Key, Value], ...]
    open: bool = False
    identity: int = 0

    @property
    def named(self) -> dict[str, Value]:
        """What is held under texts, as keyword arguments are."""
        return {key: value for key, value in self.items if isinstance(key, str)}

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, the last one given."""
        return dict(self.items).get(key)

    def with_item(self, key: Key, value: Value) -> Table:
        """Return this table with one value set."""
        return replace(self, items=tuple({**dict(self.items), key: value}.items()))

    def without(self, key: Key) -> Table:
        """Return this table with one value taken out."""
        return replace(self, items=tuple(item for item in self.items if item[0] != key))


@dataclass(frozen=True, slots=True)
class Function(Value):
    """A function of the source, with the scopes it sees and its defaults.

    `wrapped` stands for what a foreign decorator may make of its arguments; `stands_for` is the function whose name and
    parameters it shows, as `functools.wraps` says.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scopes: tuple[int, ...]
    file: str
    defaults: tuple[tuple[str, Value], ...] = ()
    given: tuple[tuple[Value, ...], tuple[tuple[str, Value], ...]] = ((), ())
    kind: str = ""
    wrapped: Unknown | None = None
    stands_for: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.stands_for or self.node, "name", "lambda")

    @property
    def parameters(self) -> ast.arguments:
        """The parameters that it shows."""
        return (self.stands_for or self.node).args


@dataclass(frozen=True, slots=True)
class Partial(Value):
    """Something to be called, some of whose arguments are given."""

    function: Value
    positional: tuple[Value, ...]
    named: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Class(Value):
    """A class of the source; its attributes lie in a cell."""

    name: str
    cell: int
    bases: tuple[Value, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Object(Value):
    """Something with a state of its own: a pipeline, a part of one, a generator, an instance."""

    kind: str
    cell: int


@dataclass(frozen=True, slots=True)
class Attribute(Value):
    """An attribute of a value, usually a method about to be called."""

    owner: Value
    name: str


@dataclass(frozen=True, slots=True)
class Widget(Value):
    """A component of a user interface; as an input of a function it is the user's value."""

    source: Input
    value: Value


@dataclass(frozen=True, slots=True)
class Module(Value):
    """Another file of the same source."""

    cell: int


@dataclass(slots=True)
class Arguments:
    """The arguments of a call; `open` when there may be more."""

    positional: list[Value]
    named: dict[str, Value]
    open: str = ""

    def get(self, name: str, position: int | None = None) -> Value | None:
        """Return an argument by name or by position."""
        if name in self.named:
            return self.named[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None

    def every(self) -> list[Value]:
        """Return all of them."""
        return [*self.positional, *self.named.values()]


def either(options: Iterable[Value], where: str, *, decided: bool = False) -> Value:
    """Return one of several values: alternatives flattened, equal ones merged.

    At most `MOST_OPTIONS` are kept, the last of them unknown where there were more.
    """
    options = list(options)
    if len(options) == 1:
        return options[0]
    flat: list[Value] = []
    for number, option in enumerate(options):
        inner = option.options if isinstance(option, Either) else (option,)
        if number == 0 and isinstance(option, Either):
            decided = decided and option.decided
        for value in inner:
            if not any(_same(value, kept) for kept in flat):
                flat.append(value)
    if len(flat) == 1:
        return flat[0]
    if not flat:
        return Absent(where)
    if len(flat) > MOST_OPTIONS:
        results = dict.fromkeys(result for value in flat[MOST_OPTIONS - 1 :] for result in results_in(value))
        flat = [*flat[: MOST_OPTIONS - 1], Unknown(where, "one of many", tuple(results))]
    return Either(where, tuple(flat), decided)


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, Known) and isinstance(right, Known):
        return type(left.value) is type(right.value) and left.value == right.value
    return left is right or (type(left) is type(right) and shallow(left) and shallow(right) and left == right)


def may_miss(value: Value) -> bool:
    """Return whether there is nothing on some branch."""
    return isinstance(value, Absent) or (
        isinstance(value, Either) and any(isinstance(option, Absent) for option in value.options)
    )


def shallow(value: Value) -> bool:
    """Return whether comparing this value costs next to nothing."""
    if isinstance(value, Asked | Widget):
        return shallow(value.value)
    return not isinstance(value, Items | Table | Function | Partial | Attribute | Either)


def lift(function: Callable[..., Value], values: Sequence[Value]) -> Value:
    """Apply a function to values, once for each alternative, and to the defaults of inputs.

    Alternatives whose combinations are too many count as unknown.
    """
    return _lifted(function, _few_combinations(values))


def _few_combinations(values: Sequence[Value]) -> list[Value]:
    kept: list[Value] = []
    combined = 1
    for value in values:
        options = len(value.options) if isinstance(value, Either) else 1
        if combined * options > _MOST_COMBINED:
            kept.append(Unknown(value.where, "one of several", results_in(value)))
        else:
            kept.append(value)
            combined *= options
    return kept


def _lifted(function: Callable[..., Value], values: Sequence[Value]) -> Value:
    for position, value in enumerate(values):
        if isinstance(value, Either):
            options = [
                _lifted(function, [*values[:position], option, *values[position + 1 :]])
                for option in value.options
                if not isinstance(option, Absent)
            ]
            return either(options, value.where, decided=value.decided)
    for position, value in enumerate(values):
        if isinstance(value, Asked):
            inner = _lifted(function, [*values[:position], value.value, *values[position + 1 :]])
            if isinstance(inner, Known | Unknown):
                return Asked(value.where, value.source, inner)
            return inner
    return function(*values)


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether a condition holds: for certain, and with every input at its default."""

    certain: bool | None
    usual: bool | None


def truth(value: Value) -> Truth:
    """Return whether a value counts as true."""
    if isinstance(value, Known):
        return Truth(bool(value.value), bool(value.value))
    if isinstance(value, Items | Table):
        held = value.items if isinstance(value, Items) else [item for _, item in value.items if not may_miss(item)]
        sure = [item for item in held if not value.open or not isinstance(item, Unknown) or item.results]
        holds = True if sure else None if value.open or value.items else False
        return Truth(holds, holds)
    if isinstance(value, Function | Partial | Class | Object | Module | Widget):
        return Truth(certain=True, usual=True)
    if isinstance(value, Asked):
        return Truth(None, truth(value.value).usual)
    if isinstance(value, Either):
        each = [truth(option) for option in value.options]
        same = each[0].certain if len({one.certain for one in each}) == 1 else None
        return Truth(same, each[0].usual if value.decided else same)
    return Truth(None, None)


def negated(held: Truth) -> Truth:
    """Return the opposite."""
    return Truth(
        None if held.certain is None else not held.certain,
        None if held.usual is None else not held.usual,
    )


def results_in(value: Value | None) -> tuple[int, ...]:
    """Return the pipeline calls that a value came out of, as far as a bounded look into it tells."""
    found: dict[int, None] = {}
    waiting = [value]
    for _ in range(_MOST_LOOKED_AT):
        if not waiting:
            break
        one = waiting.pop(0)
        if isinstance(one, Unknown):
            found |= dict.fromkeys(one.results)
        else:
            waiting.extend(inside(one)[:_MOST_LOOKED_AT])
    return tuple(found)


def inside(value: Value | None) -> list[Value]:
    """Return the values that a value is made of."""
    if isinstance(value, Either):
        return list(value.options)
    if isinstance(value, Items):
        return list(value.items)
    if isinstance(value, Table):
        return [item for _, item in value.items]
    if isinstance(value, Attribute):
        return [value.owner]
    if isinstance(value, Partial):
        return [value.function, *value.positional, *(item for _, item in value.named)]
    return [value.value] if isinstance(value, Asked) else []


def is_small(value: Value) -> bool:
    """Return whether a value is small enough to be written out; lists may hold one another many times over."""
    waiting = [value]
    for _ in range(_MOST_LOOKED_AT * 4):
        if not waiting:
            return True
        waiting.extend(inside(waiting.pop()))
    return False
