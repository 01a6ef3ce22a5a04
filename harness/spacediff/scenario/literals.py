"""Literals of Python in a scenario, for the values that TOML lacks: None and tuples.

A literal is None, a number, a text, or tuples, lists and tables of these; never code. A tuple becomes a list, which is
what settings hold; the call gets a tuple again where the pipeline's signature asks for one.
"""

from __future__ import annotations

import ast
import math
from typing import Any

from spacediff.settings import is_plain

KEY = "python"
"""The only key of a table that holds a literal."""
TABLES = ("load", "call", "scheduler", "guider", "cache")
"""Tables of arguments, whose values may be literals."""
LONGEST = 20_000
"""Characters of a literal."""
DEEPEST = 16
"""Lists inside each other."""


def literal(text: str) -> Any:
    """Evaluate a literal; a tuple becomes a list.

    Raises:
        ValueError: It is no literal, or one that settings cannot hold, such as a set, infinity or an unknown name.
    """
    if len(text) > LONGEST:
        raise ValueError("the literal is too long")
    try:
        value = ast.literal_eval(text.strip())
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("no literal of Python") from error
    return _plain(value, DEEPEST)


def _plain(value: Any, depth: int) -> Any:
    match value:
        case None | bool():
            return value
        case str() if _is_text(value):
            return value
        case int() if -(2**63) <= value < 2**63:
            return value
        case float() if math.isfinite(value):
            return value
        case list() | tuple() if depth:
            return [_plain(item, depth - 1) for item in value]
        case dict() if depth and all(isinstance(key, str) and key and _is_text(key) for key in value):
            return {key: _plain(item, depth - 1) for key, item in value.items()}
    raise ValueError("a value that settings cannot hold")


def _is_text(value: str) -> bool:
    """Whether a text is one that TOML could hold: an escape of Python also makes lone surrogates and NUL."""
    return is_plain(value) and "\0" not in value


def needs_python(value: Any) -> bool:
    """Whether TOML cannot say a value that a literal can."""
    return value is None or (isinstance(value, list) and any(map(needs_python, value)))


def is_sayable(path: str, value: Any) -> bool:
    """Whether a scenario can hold a value at the path of a setting; where literals may stand, None is one."""
    if not needs_python(value):
        return is_plain(value)
    table, _, name = path.partition(".")
    return table in TABLES and bool(name) and path != "scheduler.class" and _is_literal(value)


def _is_literal(value: Any) -> bool:
    """Whether a literal can hold a value, as `literal` reads it back."""
    if isinstance(value, list):
        return all(map(_is_literal, value))
    return value is None or (_is_text(value) if isinstance(value, str) else is_plain(value))
