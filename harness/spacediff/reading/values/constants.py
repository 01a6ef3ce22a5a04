"""Constants computed from constants: arithmetic, texts, comparisons, and the builtins that do no more than that."""

from __future__ import annotations

import ast
import math
import operator
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from spacediff.reading.model import Input
from spacediff.reading.values.containers import filled, merged
from spacediff.reading.values.kinds import (
    Arguments,
    Asked,
    Class,
    External,
    Function,
    Items,
    Known,
    Module,
    Object,
    Table,
    Unknown,
    Value,
    Widget,
    is_small,
    may_miss,
)

_LONGEST = 20_000
"""Characters of a text that is put together."""

_MOST_DIGITS = 3
"""Digits of a width in a format: wider texts are no setting."""
_MOST_BITS = 64
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
_FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, MemoryError)


def _rounded(number: float, digits: int = 0) -> float:
    if abs(digits) > _MOST_BITS:  # Python computes the power of ten
        raise ValueError(digits)
    return round(number, digits) if digits else round(number)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "abs": abs,
    "min": min,
    "max": max,
    "round": _rounded,
    "math.ceil": math.ceil,
    "math.floor": math.floor,
    "math.sqrt": math.sqrt,
    "np.ceil": math.ceil,
    "numpy.ceil": math.ceil,
    "os.path.join": posixpath.join,
    "os.path.basename": posixpath.basename,
}
_TEXT_METHODS = frozenset({
    "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "replace", "startswith", "endswith",
    "removeprefix", "removesuffix",
})  # fmt: skip


def asked(kind: str, label: str, default: Value | None, where: str) -> Value:
    """Return a value from the user; without a default it is unknown what it is."""
    value = default if default is not None else Unknown(where, f"no default: {label}")
    plain = json_of(value)
    return Asked(where, Input(kind, label[:200], plain, where), value)


def json_of(value: Value | None) -> Any:
    """Return a value as JSON, None where it is not known or too large."""
    return _json(value) if value is not None and is_small(value) else None


def _json(value: Value) -> Any:
    if isinstance(value, Known):
        return value.value
    if isinstance(value, Asked):
        return _json(value.value)
    if isinstance(value, Items) and not value.open:
        return [_json(item) for item in value.items]
    if isinstance(value, Table) and not value.open:
        return {str(name): _json(item) for name, item in value.items}
    return value.name if isinstance(value, External) else None


def constant(value: object, where: str, otherwise: Value) -> Value:
    """Return a constant of the source; `otherwise` for one that no setting can be."""
    return _result(value, where, otherwise)


def distinct(items: Items) -> Items:
    """Return a set's items once each; how many there are is open where they are not known."""
    known = {item.value: item for item in reversed(items.items) if isinstance(item, Known)}
    if len({item.value for item in items.items if isinstance(item, Known)}) == len(items.items):
        return items
    sure = all(isinstance(item, Known) for item in items.items)
    return replace(items, items=tuple(reversed(known.values()))) if sure else replace(items, open=True)


def shown(value: Value) -> str:
    """Return a constant as text, for labels."""
    return str(value.value) if isinstance(value, Known) else "?"


def _result(value: Any, where: str, otherwise: Value) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return otherwise
    if isinstance(value, str) and len(value) > _LONGEST:
        return otherwise
    if isinstance(value, int) and abs(value) >= 2**64:
        return otherwise
    return Known(where, value) if value is None or isinstance(value, str | bool | int | float) else otherwise


def text(parts: Sequence[Value], otherwise: Value) -> Value:
    """Return constants joined to one text."""
    if not all(isinstance(part, Known) for part in parts):
        return otherwise
    return _result("".join(str(part.value) for part in parts if isinstance(part, Known)), otherwise.where, otherwise)


def formatted(value: Value, spec: Value, conversion: int, otherwise: Value) -> Value:
    """Return a constant in the format of an f-string."""
    how = spec.value if isinstance(spec, Known) else None
    if (
        not isinstance(value, Known)
        or not isinstance(how, str)
        or any(digits > _MOST_DIGITS for digits in _digit_rows(how))
    ):
        return otherwise
    inner = repr(value.value) if conversion == ord("r") else value.value
    try:
        return _result(format(inner, how), otherwise.where, otherwise)
    except _FAILURES:
        return otherwise


def _digit_rows(spec: str) -> list[int]:
    return [len(row) for row in "".join(sign if sign.isdigit() else " " for sign in spec).split()]


def binary(operation: ast.operator, left: Value, right: Value, otherwise: Value) -> Value:  # noqa: PLR0911 - one way out for each kind
    """Return two constants under an operator."""
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
    if not isinstance(left, Known) or not isinstance(right, Known) or _is_large(operation, left.value, right.value):
        return otherwise
    if isinstance(operation, ast.Div) and isinstance(left.value, str) and isinstance(right.value, str):  # pathlib
        return _result(posixpath.join(left.value, right.value), otherwise.where, otherwise)
    try:
        return _result(_BINARY[type(operation)](left.value, right.value), otherwise.where, otherwise)
    except (*_FAILURES, KeyError):
        return otherwise


def _repeated(items: Value, times: Value) -> Value:
    """Return a list several times over."""
    if not isinstance(items, Items):
        return items
    count = times.value if isinstance(times, Known) and isinstance(times.value, int) else None
    if count is None or items.open or len(items.items) * count > _MOST_ITEMS:
        return Items(items.where, items.items, open=True)
    return Items(items.where, items.items * count)


def _is_large(operation: ast.operator, left: Any, right: Any) -> bool:
    """Return whether computing this would take memory that no setting needs."""
    if isinstance(operation, ast.Mod) and isinstance(left, str):
        return any(digits > _MOST_DIGITS for digits in _digit_rows(left)) or "*" in left
    sizes = [len(side) if isinstance(side, str) else abs(side or 0) for side in (left, right)]
    if isinstance(operation, ast.Pow | ast.LShift):
        return sizes[0] >= 2**32 or sizes[1] > _MOST_BITS
    if isinstance(operation, ast.Mult) and (isinstance(left, str) or isinstance(right, str)):
        return sizes[0] * sizes[1] > _LONGEST
    return False


def unary(operation: ast.unaryop, value: Value, otherwise: Value) -> Value:
    """Return a constant under a sign."""
    if not isinstance(value, Known):
        return otherwise
    try:
        return _result(_UNARY[type(operation)](value.value), value.where, otherwise)
    except (*_FAILURES, KeyError):
        return otherwise


def compared(operations: Sequence[ast.cmpop], values: Sequence[Value], otherwise: Value) -> Value:
    """Return whether comparisons hold."""
    for operation, left, right in zip(operations, values, values[1:], strict=False):
        held = _holds(operation, left, right)
        if held is None:
            return otherwise
        if not held:
            return Known(otherwise.where, value=False)
    return Known(otherwise.where, value=True)


def _holds(operation: ast.cmpop, left: Value, right: Value) -> bool | None:  # noqa: PLR0911 - one way out for each kind
    if isinstance(operation, ast.In | ast.NotIn):
        return _contains(left, right, wanted=isinstance(operation, ast.In))
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
    except (*_FAILURES, KeyError):
        return None


def _contains(item: Value, container: Value, *, wanted: bool) -> bool | None:
    if not isinstance(item, Known):
        return None
    if isinstance(container, Known) and isinstance(container.value, str) and isinstance(item.value, str):
        return (item.value in container.value) is wanted
    if isinstance(container, Table) and not container.open:
        found = container.get(item.value)
        return None if found is not None and may_miss(found) else (found is not None) is wanted
    if isinstance(container, Items) and not container.open:
        known = [one.value for one in container.items if isinstance(one, Known)]
        return (item.value in known) is wanted if len(known) == len(container.items) else None
    return None


def function(name: str, values: Sequence[Value], otherwise: Value) -> Value:
    """Return a builtin's result on constants."""
    known = [value.value for value in values if isinstance(value, Known)]
    if len(known) != len(values):
        return next((value for value in values if isinstance(value, Unknown) and value.random), otherwise)
    where = values[0].where if len(values) == 1 else otherwise.where
    try:
        return _result(_FUNCTIONS[name](*known), where, otherwise)
    except _FAILURES:
        return otherwise


def is_function(name: str) -> bool:
    """Return whether a name is a builtin that only computes."""
    return name in _FUNCTIONS


def method(owner: Value, name: str, arguments: Arguments, otherwise: Value) -> Value:  # noqa: PLR0911 - one way out for each kind
    """Return what a method of a constant, a list or a dict gives."""
    if isinstance(owner, Table):
        return _of_table(owner, name, arguments, otherwise)
    if isinstance(owner, Items) and name == "copy":
        return replace(owner, identity=0)
    known = [value.value for value in arguments.positional if isinstance(value, Known)]
    if not isinstance(owner, Known) or not isinstance(owner.value, str) or len(known) != len(arguments.positional):
        return otherwise
    if name == "format":
        return _format(owner.value, arguments, otherwise)
    if name == "split" and len(known) <= 1:
        return Items(
            owner.where,
            tuple(Known(owner.where, part) for part in owner.value.split(str(known[0]) if known else None)[:500]),
        )
    if name not in _TEXT_METHODS or (name == "replace" and len(owner.value) > _LONGEST // 10):
        return otherwise
    try:
        return _result(getattr(owner.value, name)(*known), owner.where, otherwise)
    except _FAILURES:
        return otherwise


def _of_table(owner: Table, name: str, arguments: Arguments, otherwise: Value) -> Value:  # noqa: PLR0911 - one way out for each kind
    key = arguments.get("key", 0)
    if name in {"get", "pop", "setdefault"} and isinstance(key, Known):
        found = owner.get(key.value)
        default = arguments.get("default", 1) or Known(otherwise.where, None)
        if found is not None:
            return filled(found, default)
        return otherwise if owner.open else default
    if name == "copy":
        return replace(owner, identity=0)
    sure = [(key, value) for key, value in owner.items if not may_miss(value)]
    is_open = owner.open or len(sure) < len(owner.items)
    if name == "values":
        return Items(owner.where, tuple(value for _, value in sure), is_open)
    if name == "keys":
        return Items(owner.where, tuple(Known(owner.where, key) for key, _ in sure), is_open)
    if name == "items":
        pairs = [Items(owner.where, (Known(owner.where, key), value)) for key, value in sure]
        return Items(owner.where, tuple(pairs), is_open)
    return otherwise


def _format(template: str, arguments: Arguments, otherwise: Value) -> Value:
    named = {name: value.value for name, value in arguments.named.items() if isinstance(value, Known)}
    simple = all(sign not in template for sign in ("!", ":", ".", "["))
    if not simple or len(named) != len(arguments.named):
        return otherwise
    try:
        filled = template.format(*(value.value for value in arguments.positional if isinstance(value, Known)), **named)
    except _FAILURES:
        return otherwise
    return _result(filled, otherwise.where, otherwise)
