"""Constants computed from constants: arithmetic, texts, comparisons."""

from __future__ import annotations

import ast
import math
import operator
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from spacediff.reading.values.containers import merged
from spacediff.reading.values.inputs import may_be_prompt
from spacediff.reading.values.keys import key_of
from spacediff.reading.values.kinds import (
    Asked,
    Attribute,
    Class,
    Either,
    External,
    Function,
    Items,
    Known,
    LoadedFile,
    Module,
    Object,
    Table,
    Unknown,
    Value,
    Widget,
)
from spacediff.reading.values.operations import may_be_absent

LONGEST = 20_000
"""Characters of a computed text; a longer one counts as unknown."""

_MOST_DIGITS = 3
"""Digits of a width in a format; a wider text counts as unknown."""

MOST_BITS = 64

_MOST_ITEMS = 500

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}

_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, MemoryError)


def distinct(items: Items) -> Items:
    """Return the items of a set, each once; the set is open if some items are unknown."""
    keys = [(key_of(item), item) for item in items.items]
    known = {key.value: item for key, item in reversed(keys) if isinstance(key, Known)}
    if len(known) == len(items.items):
        return items
    sure = all(isinstance(key, Known) for key, _ in keys)
    return replace(items, items=tuple(reversed(known.values()))) if sure else replace(items, open=True)


def constant(value: Any, where: str, otherwise: Value) -> Value:
    """Return a value of Python as a constant; `otherwise` if it is too large or no setting can have it."""
    if isinstance(value, float) and not math.isfinite(value):
        return otherwise
    if isinstance(value, str) and len(value) > LONGEST:
        return otherwise
    if isinstance(value, int) and abs(value) >= 2**64:
        return otherwise
    return Known(where, value) if value is None or isinstance(value, str | bool | int | float) else otherwise


def text(parts: Sequence[Value], otherwise: Value) -> Value:
    """Return constants joined to one text, `otherwise` if one is unknown."""
    if not all(isinstance(part, Known) for part in parts):
        return with_template(parts, otherwise)
    return constant("".join(str(part.value) for part in parts if isinstance(part, Known)), otherwise.where, otherwise)


def with_template(parts: Sequence[Value], otherwise: Value) -> Value:
    """Return an unknown text with its template, if the user writes one of its parts."""
    is_users = any(isinstance(part, Unknown) and part.template for part in parts)
    if not is_users or not isinstance(otherwise, Unknown) or not all(isinstance(p, Known | Unknown) for p in parts):
        return otherwise
    texts = [part.template or f"{{{part.text}}}" if isinstance(part, Unknown) else str(getattr(part, "value", ""))
             for part in parts]  # fmt: skip
    return replace(otherwise, template="".join(texts)[:LONGEST])


def formatted(value: Value, spec: Value, conversion: int, otherwise: Value) -> Value:
    """Return a constant as an f-string formats it."""
    how = spec.value if isinstance(spec, Known) else None
    if (
        not isinstance(value, Known)
        or not isinstance(how, str)
        or any(digits > _MOST_DIGITS for digits in _digit_rows(how))
    ):
        return otherwise
    inner = repr(value.value) if conversion == ord("r") else value.value
    try:
        return constant(format(inner, how), otherwise.where, otherwise)
    except FAILURES:
        return otherwise


def _digit_rows(spec: str) -> list[int]:
    return [len(row) for row in "".join(sign if sign.isdigit() else " " for sign in spec).split()]


def binary(operation: ast.operator, left: Value, right: Value, otherwise: Value) -> Value:  # noqa: PLR0911 - one way out for each kind
    """Return the result of a binary operator."""
    if isinstance(operation, ast.Add) and isinstance(left, Items) and isinstance(right, Items):
        items = (*left.items, *right.items)
        is_open = left.open or right.open or len(items) > _MOST_ITEMS
        return Items(left.where, items[:_MOST_ITEMS], is_open)
    if isinstance(operation, ast.BitOr) and isinstance(left, Table) and isinstance(right, Table):
        table = merged(left, right, otherwise if isinstance(otherwise, Unknown) else Unknown(otherwise.where, ""))
        return replace(table, identity=0)
    if isinstance(operation, ast.Mult) and (isinstance(left, Items) or isinstance(right, Items)):
        return _repeated(*((left, right) if isinstance(left, Items) else (right, left)))
    for side in (left, right):
        if isinstance(side, Unknown) and side.random:
            return side
    if isinstance(operation, ast.Add) and (_is_text(left) or _is_text(right)):
        otherwise = with_template([left, right], otherwise)
    if not isinstance(left, Known) or not isinstance(right, Known) or _is_large(operation, left.value, right.value):
        return otherwise
    if isinstance(operation, ast.Div) and isinstance(left.value, str) and isinstance(right.value, str):  # pathlib
        return constant(posixpath.join(left.value, right.value), otherwise.where, otherwise)
    try:
        return constant(_BINARY[type(operation)](left.value, right.value), otherwise.where, otherwise)
    except (*FAILURES, KeyError):
        return otherwise


def _is_text(value: Value) -> bool:
    return isinstance(value, Known) and isinstance(value.value, str)


def _repeated(items: Value, times: Value) -> Value:
    """Return `items * times`."""
    if not isinstance(items, Items):
        return items
    count = times.value if isinstance(times, Known) and isinstance(times.value, int) else None
    if count is None or items.open or len(items.items) * count > _MOST_ITEMS:
        return Items(items.where, items.items, open=True)
    return Items(items.where, items.items * count)


def _is_large(operation: ast.operator, left: Any, right: Any) -> bool:
    """Return whether computing this could take much memory."""
    if isinstance(operation, ast.Mod) and isinstance(left, str):
        return any(digits > _MOST_DIGITS for digits in _digit_rows(left)) or "*" in left
    sizes = [len(side) if isinstance(side, str) else abs(side or 0) for side in (left, right)]
    if isinstance(operation, ast.Pow | ast.LShift):
        return sizes[0] >= 2**32 or sizes[1] > MOST_BITS
    if isinstance(operation, ast.Mult) and (isinstance(left, str) or isinstance(right, str)):
        return sizes[0] * sizes[1] > LONGEST
    return False


def sliced(owner: Value, bounds: Sequence[Value], otherwise: Value) -> Value:
    """Return `owner[start:end:step]` of a list or a text; `otherwise` if it is unknown.

    The beginning of a text that the user writes is still what the user writes.
    """
    if isinstance(owner, Unknown) and owner.template and bounds and _is_start(bounds[0]):
        return owner
    given: list[Any] = [one.value for one in bounds if isinstance(one, Known)]
    if len(given) < len(bounds) or isinstance(owner, LoadedFile) or (isinstance(owner, Items) and owner.open):
        return otherwise
    try:
        if isinstance(owner, Items):
            return replace(owner, items=owner.items[slice(*given)], identity=0)
        if isinstance(owner, Known) and isinstance(owner.value, str):
            return constant(owner.value[slice(*given)], otherwise.where, otherwise)
    except FAILURES:
        return otherwise
    return otherwise


def _is_start(bound: Value) -> bool:
    return isinstance(bound, Known) and bound.value in {None, 0}


def character(owner: Known, place: Known, otherwise: Value) -> Value:
    """Return `text[place]`."""
    text_of_owner, number = owner.value, place.value
    if not isinstance(text_of_owner, str) or not isinstance(number, int):
        return otherwise
    inside = -len(text_of_owner) <= number < len(text_of_owner)
    return Known(otherwise.where, text_of_owner[number]) if inside else otherwise


def unary(operation: ast.unaryop, value: Value, otherwise: Value) -> Value:
    """Return the result of a unary operator."""
    if not isinstance(value, Known):
        return otherwise
    try:
        return constant(_UNARY[type(operation)](value.value), value.where, otherwise)
    except (*FAILURES, KeyError):
        return otherwise


def compared(operations: Sequence[ast.cmpop], values: Sequence[Value], otherwise: Value) -> Value:
    """Return the result of a chain of comparisons."""
    for operation, left, right in zip(operations, values, values[1:], strict=False):
        answer = _is_true(operation, left, right)
        if answer is None:
            usual = _usual_answer(operation, left, right) if len(operations) == 1 else None
            return otherwise if usual is None else _either_answer(otherwise.where, usual=usual)
        if not answer:
            return Known(otherwise.where, value=False)
    return Known(otherwise.where, value=True)


def _either_answer(where: str, *, usual: bool) -> Value:
    return Either(where, (Known(where, usual), Known(where, not usual)), decided=True)


def _usual_answer(operation: ast.cmpop, left: Value, right: Value) -> bool | None:
    """Return the answer for what the user gives: it is not empty, and has only the fields that it must have."""
    if isinstance(operation, ast.In | ast.NotIn):
        is_field = isinstance(left, Known) and _is_given_whole(right)
        wanted = isinstance(operation, ast.In)
        return bool(may_be_prompt(str(left.value))) is wanted if is_field and isinstance(left, Known) else None
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Unknown) and one.template and isinstance(other, Known) and other.value in {None, ""}:
            return isinstance(operation, ast.IsNot | ast.NotEq)
    return None


def _is_given_whole(value: Value) -> bool:
    """Return whether a value is something that the user gives, or an attribute of it such as `request.json`."""
    while isinstance(value, Attribute):
        value = value.owner
    inner = value.value if isinstance(value, Asked) else value
    if isinstance(inner, External):
        return "request" in inner.name.split(".")
    return isinstance(inner, Unknown) and bool(inner.template)


def _is_true(operation: ast.cmpop, left: Value, right: Value) -> bool | None:  # noqa: PLR0911 - one way out for each kind
    if isinstance(operation, ast.In | ast.NotIn):
        return _contains(left, right, wanted=isinstance(operation, ast.In))
    if isinstance(left, Object) and isinstance(right, Object):
        same = left.cell == right.cell
        sure = same or left.kind == right.kind == "member"
        return same is isinstance(operation, ast.Is | ast.Eq) if sure else None
    things = Object | Function | Class | Items | Table | Module | Widget
    for one, other in ((left, right), (right, left)):
        if isinstance(other, Known) and other.value is None and isinstance(one, things):
            return isinstance(operation, ast.IsNot | ast.NotEq)
    if isinstance(left, External) and isinstance(right, External) and left.name == right.name:
        return isinstance(operation, ast.Is | ast.Eq)
    if not isinstance(left, Known) or not isinstance(right, Known):
        return None
    if isinstance(operation, ast.Is | ast.IsNot):
        same = left.value is right.value or (left.value == right.value and type(left.value) is type(right.value))
        return same is isinstance(operation, ast.Is)
    try:
        return bool(_COMPARE[type(operation)](left.value, right.value))
    except (*FAILURES, KeyError):
        return None


def _contains(item: Value, container: Value, *, wanted: bool) -> bool | None:
    if isinstance(container, Items | Table) and not container.items and not container.open:
        return not wanted
    key = key_of(item)
    if not isinstance(key, Known):
        return None
    if isinstance(container, Known) and isinstance(container.value, str) and isinstance(key.value, str):
        return (key.value in container.value) is wanted
    if isinstance(container, Table) and not container.open:
        found = container.get(key.value)
        return None if found is not None and may_be_absent(found) else (found is not None) is wanted
    if isinstance(container, Items) and not container.open:
        known = [one.value for one in map(key_of, container.items) if isinstance(one, Known)]
        return (key.value in known) is wanted if len(known) == len(container.items) else None
    return None
