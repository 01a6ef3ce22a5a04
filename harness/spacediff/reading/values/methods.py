"""Builtin functions and methods that do nothing but compute a constant from constants."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from spacediff.reading.values import templates
from spacediff.reading.values.constants import FAILURES, LONGEST, MOST_BITS, constant
from spacediff.reading.values.containers import with_default
from spacediff.reading.values.keys import is_unknown, key_of, value_of
from spacediff.reading.values.kinds import (
    Arguments,
    Items,
    Known,
    Table,
    Unknown,
    Value,
)
from spacediff.reading.values.operations import may_be_absent


def _rounded(number: float, digits: int = 0) -> float:
    if abs(digits) > MOST_BITS:  # Python computes the power of ten
        raise ValueError(digits)
    return round(number, digits) if digits else round(number)


def folder_of(path: str) -> str:
    """Return the folder of a path; that of the folder where a relative path begins is the one above it."""
    if path in {"", "."} or path.endswith(".."):
        return posixpath.normpath(posixpath.join(path, ".."))
    return posixpath.dirname(path) or "."


def _joined_path(*parts: str) -> str:
    return posixpath.join(*parts).removeprefix("./")


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
    "math.log": math.log,
    "math.log2": math.log2,
    "math.log10": math.log10,
    "math.exp": math.exp,
    "np.ceil": math.ceil,
    "numpy.ceil": math.ceil,
    "os.path.join": _joined_path,
    "os.path.abspath": posixpath.normpath,
    "os.path.basename": posixpath.basename,
    "os.path.dirname": folder_of,
    "os.path.normpath": posixpath.normpath,
    "os.path.realpath": posixpath.normpath,
}

_TEXT_METHODS = frozenset({
    "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "replace", "startswith", "endswith",
    "removeprefix", "removesuffix",
})  # fmt: skip


def call_function(name: str, values: Sequence[Value], otherwise: Value) -> Value:
    """Return the result of a builtin function for constants."""
    known = [value.value for value in values if isinstance(value, Known)]
    if len(known) != len(values):
        first = values[0] if values else otherwise
        if name == "str" and isinstance(first, Unknown) and first.template:
            return first
        return next((value for value in values if isinstance(value, Unknown) and value.random), otherwise)
    where = values[0].where if len(values) == 1 else otherwise.where
    try:
        return constant(_FUNCTIONS[name](*known), where, otherwise)
    except FAILURES:
        return otherwise


def is_function(name: str) -> bool:
    """Return whether this is a builtin function that only computes."""
    return name in _FUNCTIONS


def call_method(owner: Value, name: str, arguments: Arguments, otherwise: Value) -> Value:  # noqa: PLR0911 - one way out for each kind
    """Return the result of a method of a constant, a list or a dict; `otherwise` if it is unknown."""
    if isinstance(owner, Table):
        return _of_table(owner, name, arguments, otherwise)
    if isinstance(owner, Items):
        return replace(owner, identity=0) if name == "copy" else _place_in(owner, name, arguments, otherwise)
    known = [value.value for value in arguments.positional if isinstance(value, Known)]
    if isinstance(otherwise, Unknown):
        otherwise = replace(otherwise, template=templates.after_method(owner, name, arguments))
    if not isinstance(owner, Known) or not isinstance(owner.value, str) or len(known) != len(arguments.positional):
        return otherwise
    if name == "format":
        return _format(owner.value, arguments, otherwise)
    if name == "split" and len(known) <= 1:
        return Items(
            owner.where,
            tuple(Known(owner.where, part) for part in owner.value.split(str(known[0]) if known else None)[:500]),
        )
    if name == "splitlines":
        lines = owner.value.splitlines()[:500]
        return Items(owner.where, tuple(Known(owner.where, line) for line in lines))
    if name not in _TEXT_METHODS or (name == "replace" and len(owner.value) > LONGEST // 10):
        return otherwise
    try:
        return constant(getattr(owner.value, name)(*known), owner.where, otherwise)
    except FAILURES:
        return otherwise


def joined(separator: Known, texts: Sequence[Value], otherwise: Value) -> Value:
    """Return several texts with a separator between them, as `", ".join(texts)` does."""
    known = [text.value for text in texts if isinstance(text, Known) and isinstance(text.value, str)]
    if len(known) < len(texts) or not isinstance(separator.value, str):
        if isinstance(otherwise, Unknown):
            arguments = Arguments([Items(otherwise.where, tuple(texts))], {})
            return replace(otherwise, template=templates.after_method(separator, "join", arguments))
        return otherwise
    if sum(map(len, known)) + len(separator.value) * len(known) > LONGEST:
        return otherwise
    return Known(otherwise.where, separator.value.join(known))


def _place_in(owner: Items, name: str, arguments: Arguments, otherwise: Value) -> Value:
    """Return the result of `index` or `count`."""
    first = arguments.get("", 0)
    known = [item.value for item in owner.items if isinstance(item, Known)]
    if owner.open or not isinstance(first, Known) or len(known) < len(owner.items) or len(arguments.positional) != 1:
        return otherwise
    if name == "count":
        return Known(otherwise.where, known.count(first.value))
    return Known(otherwise.where, known.index(first.value)) if name == "index" and first.value in known else otherwise


def _of_table(owner: Table, name: str, arguments: Arguments, otherwise: Value) -> Value:  # noqa: PLR0911 - one way out for each kind
    given = arguments.get("key", 0)
    key = key_of(given) if given is not None else None
    if name in {"get", "pop", "setdefault"} and isinstance(key, Known):
        found = None if is_unknown(key.value) else owner.get(key.value)
        default = arguments.get("default", 1) or Known(otherwise.where, None)
        if found is not None:
            return with_default(found, default)
        return otherwise if owner.open else default
    if name == "copy":
        return replace(owner, identity=0)
    sure = [(key, value) for key, value in owner.items if not may_be_absent(value)]
    is_open = owner.open or len(sure) < len(owner.items)
    if name == "values":
        return Items(owner.where, tuple(value for _, value in sure), is_open)
    if name == "keys":
        return Items(owner.where, tuple(value_of(key, owner.where) for key, _ in sure), is_open)
    if name == "items":
        pairs = [Items(owner.where, (value_of(key, owner.where), value)) for key, value in sure]
        return Items(owner.where, tuple(pairs), is_open)
    return otherwise


def _format(template: str, arguments: Arguments, otherwise: Value) -> Value:
    named = {name: value.value for name, value in arguments.named.items() if isinstance(value, Known)}
    simple = all(sign not in template for sign in ("!", ":", ".", "["))
    if not simple or len(named) != len(arguments.named):
        return otherwise
    try:
        filled = template.format(*(value.value for value in arguments.positional if isinstance(value, Known)), **named)
    except FAILURES:
        return otherwise
    return constant(filled, otherwise.where, otherwise)
