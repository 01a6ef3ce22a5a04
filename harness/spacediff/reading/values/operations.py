"""Operations on values of any kind: join alternatives, apply a function to each of them, ask whether one is true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from spacediff.reading.values.conditions import all_of, any_of, contradict
from spacediff.reading.values.kinds import (
    Absent,
    Arguments,
    Asked,
    Attribute,
    Class,
    Either,
    Function,
    Items,
    Known,
    LoadedFile,
    Module,
    Object,
    Partial,
    Table,
    Unknown,
    Value,
    Widget,
)

MOST_OPTIONS = 8
"""Alternatives that one value may have; the rest counts as one unknown alternative."""

_HOLDS_OTHERS = frozenset({Items, Table, Function, Partial, Attribute, Either})
_MOST_LOOKED_AT = 200
_MOST_LEVELS = 12
"""Attributes of attributes in which a part is looked for."""
_MOST_COMBINED = 64
"""Combinations of alternatives for which one expression is computed."""


def either(options: Iterable[Value], where: str, *, decided: bool = False, only_if: Sequence[str] = ()) -> Value:
    """Return an `Either` of values: nested alternatives are flattened, equal ones merged.

    A single alternative is returned as it is; no alternative is `Absent`. At most `MOST_OPTIONS` are kept; if there
    are more, the last one kept is unknown.

    Args:
        options: The alternatives.
        where: File and line where they meet.
        decided: Whether the first one is what the default inputs lead to.
        only_if: The condition for each alternative as text; empty if all are unknown.
    """
    options = list(options)
    if len(options) == 1 or all(_alike(option, options[0]) for option in options[1:]):
        return options[0] if options else Absent(where)
    flat: list[Value] = []
    conditions: list[str] = []
    for number, option in enumerate(options):
        if number == 0 and isinstance(option, Either):
            decided = decided and option.decided
        outer = only_if[number] if only_if else ""
        for value, inner in zip(alternatives(option), conditions_of(option), strict=True):
            if len(flat) > _MOST_LOOKED_AT:
                break
            if decided and flat and contradict(outer, inner):
                continue
            few = flat if len(flat) <= MOST_OPTIONS else ()
            same = next((place for place, kept in enumerate(few) if _same(value, kept)), None)
            if same is None:
                flat.append(value)
                conditions.append(all_of(outer, inner))
            else:
                conditions[same] = any_of(conditions[same], all_of(outer, inner))
    if len(flat) == 1:
        return flat[0]
    if len(flat) > MOST_OPTIONS:
        results = dict.fromkeys(result for value in flat[MOST_OPTIONS - 1 :] for result in results_in(value))
        flat = [*flat[: MOST_OPTIONS - 1], Unknown(where, "one of many", tuple(results))]
        conditions = [*conditions[: MOST_OPTIONS - 1], ""]
    return Either(where, tuple(flat), decided, tuple(conditions) if any(conditions) else ())


def _alike(left: Value, right: Value) -> bool:
    """Return whether two values have the same alternatives under the same conditions."""
    if not isinstance(left, Either) or not isinstance(right, Either):
        return left is right
    return (
        len(left.options) == len(right.options)
        and left.decided is right.decided
        and left.conditions == right.conditions
        and all(_same(one, other) for one, other in zip(left.options, right.options, strict=True))
    )


def _same_picture(left: LoadedFile, right: Value) -> bool:
    """Return whether the same was done to a file that was loaded."""
    if not isinstance(right, LoadedFile):
        return False
    return (left.is_rgb, left.is_turned, left.prepared) == (right.is_rgb, right.is_turned, right.prepared)


def _same(left: Value, right: Value) -> bool:
    if left is right:
        return True
    kind = type(left)
    if kind is not type(right):
        return False
    if isinstance(left, Known) and isinstance(right, Known):
        same = type(left.value) is type(right.value) and left.value == right.value
        return same and (not isinstance(left, LoadedFile) or _same_picture(left, right))
    if left.where != right.where:  # equality would find that out last for what is inside
        return False
    return is_shallow(left) and is_shallow(right) and left == right


def may_be_absent(value: Value) -> bool:
    """Return whether the value is absent on some branch."""
    return isinstance(value, Absent) or (
        isinstance(value, Either) and any(isinstance(option, Absent) for option in value.options)
    )


def without_absent(value: Either) -> Value:
    """Return a value without the branches where it is absent; `Absent` if it is absent on all."""
    kept = [place for place, option in enumerate(value.options) if not isinstance(option, Absent)]
    if len(kept) == len(value.options):
        return value
    return either(
        [value.options[place] for place in kept],
        value.where,
        decided=value.decided and 0 in kept,
        only_if=[value.conditions[place] for place in kept],
    )


def is_shallow(value: Value) -> bool:
    """Return whether the value holds no others, so that comparing it is cheap."""
    if isinstance(value, Asked | Widget):
        return is_shallow(value.value)
    return type(value) not in _HOLDS_OTHERS


_V = TypeVar("_V", Value, Value | None)


def alternatives(value: _V) -> tuple[_V | Value, ...]:
    """Return the alternatives of an `Either`; any other value is its own only alternative."""
    return value.options if isinstance(value, Either) else (value,)


def conditions_of(value: Value | None) -> tuple[str, ...]:
    """Return the condition for each of the alternatives of a value."""
    return value.conditions if isinstance(value, Either) else ("",)


def lift(function: Callable[..., Value], values: Sequence[Value]) -> Value:
    """Apply a function to values: once for each combination of alternatives, and to the defaults of inputs.

    A value that would make too many combinations counts as unknown.
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
            kept = without_absent(value)
            options = [
                _lifted(function, [*values[:position], option, *values[position + 1 :]])
                for option in alternatives(kept)
            ]
            decided = isinstance(kept, Either) and kept.decided
            return either(options, value.where, decided=decided, only_if=conditions_of(kept))
    for position, value in enumerate(values):
        if isinstance(value, Asked):
            inner = _lifted(function, [*values[:position], value.value, *values[position + 1 :]])
            if isinstance(inner, Asked) and (isinstance(value.value, Unknown) or not isinstance(inner.value, Unknown)):
                return Asked(value.where, value.source, inner.value)
            return Asked(value.where, value.source, inner) if isinstance(inner, Known | Unknown) else inner
    return function(*values)


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether a condition is true.

    Attributes:
        certain: The answer for every input; None if it depends on one or is unknown.
        usual: The answer when every input has its default; None if it is unknown.
    """

    certain: bool | None
    usual: bool | None


def truth(value: Value) -> Truth:  # noqa: PLR0911 - one way out for each kind
    """Return whether a value counts as true in a condition."""
    if isinstance(value, Known):
        return Truth(bool(value.value), bool(value.value))
    if isinstance(value, Items | Table):
        inner = (
            value.items if isinstance(value, Items) else [item for _, item in value.items if not may_be_absent(item)]
        )
        sure = [item for item in inner if not value.open or not isinstance(item, Unknown) or item.results]
        answer = True if sure else None if value.open or value.items else False
        return Truth(answer, answer)
    if isinstance(value, Function | Partial | Class | Object | Module | Widget):
        return Truth(certain=True, usual=True)
    if isinstance(value, Asked):
        return Truth(None, truth(value.value).usual)
    if isinstance(value, Unknown) and value.template:  # the user writes something
        return Truth(None, usual=True)
    if isinstance(value, Either):
        each = [truth(option) for option in value.options]
        same = each[0].certain if len({one.certain for one in each}) == 1 else None
        return Truth(same, each[0].usual if value.decided else same)
    return Truth(None, None)


def negated(condition: Truth) -> Truth:
    """Return the truth of `not condition`."""
    return Truth(
        None if condition.certain is None else not condition.certain,
        None if condition.usual is None else not condition.usual,
    )


def part_around(value: Value | None) -> Object | None:
    """Return the pipeline or part that a value is, or is inside of, as a layer or a weight is."""
    for option in alternatives(value) if value is not None else ():
        one: Value = option
        for _ in range(_MOST_LEVELS):
            if isinstance(one, Unknown) and one.inside_of is not None:
                return one.inside_of
            if isinstance(one, Object):
                if one.kind in {"pipeline", "part"}:
                    return one
                break
            if not isinstance(one, Attribute):
                break
            one = one.owner
    return None


def results_in(value: Value | None) -> tuple[int, ...]:
    """Return the numbers of the pipeline calls that a value comes from; at most 200 inner values are looked at."""
    return tuple(dict.fromkeys(result for one in _unknowns_in(value) for result in one.results))


def rewritten_in(value: Value | None) -> tuple[int, ...]:
    """Return the numbers of the language models that a value comes from; at most 200 inner values are looked at."""
    return tuple(dict.fromkeys(number for one in _unknowns_in(value) for number in one.rewritten))


def _unknowns_in(value: Value | None) -> list[Unknown]:
    found: list[Unknown] = []
    waiting = [value]
    for _ in range(_MOST_LOOKED_AT):
        if not waiting:
            break
        one = waiting.pop(0)
        if isinstance(one, Unknown):
            found.append(one)
        else:
            waiting.extend(inside(one)[:_MOST_LOOKED_AT])
    return found


def results_of(arguments: Arguments) -> tuple[int, ...]:
    """Return the numbers of the pipeline calls that the arguments of a call come from."""
    return tuple(dict.fromkeys(result for value in arguments.every() for result in results_in(value)))


def inside(value: Value | None) -> Sequence[Value]:
    """Return the values that a value consists of."""
    if isinstance(value, Either):
        return value.options
    if isinstance(value, Items):
        return value.items
    if isinstance(value, Table):
        return [item for _, item in value.items]
    if isinstance(value, Attribute):
        return [value.owner]
    if isinstance(value, Partial):
        return [value.function, *value.positional, *(item for _, item in value.named)]
    return [value.value] if isinstance(value, Asked) else []


def is_small(value: Value) -> bool:
    """Return whether a value is small enough to be written out; a list can contain another one many times."""
    waiting = [value]
    for _ in range(_MOST_LOOKED_AT * 4):
        if not waiting:
            return True
        waiting.extend(inside(waiting.pop()))
    return False
