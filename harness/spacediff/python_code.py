"""Values of settings as Python code, where they are constants; a description of a value is never code."""

from __future__ import annotations

import json
from typing import Any

from spacediff.settings import is_plain


def as_code(value: Any) -> str:
    """Return a constant as Python code; empty if it has a value that code cannot show."""
    if value is None:
        return "None"
    if isinstance(value, str | int | float):
        is_text = isinstance(value, str) and value.isprintable()
        code = json.dumps(value, ensure_ascii=False) if is_text else repr(value)
        return code if is_plain(value) else ""
    if isinstance(value, list | tuple):
        return _sequence(value)
    return _table(value) if isinstance(value, dict) else ""


def _table(value: dict[Any, Any]) -> str:
    items = [(as_code(key), as_code(item)) for key, item in value.items() if isinstance(key, str)]
    is_whole = len(items) == len(value) and all(key and item for key, item in items)
    return "{" + ", ".join(f"{key}: {item}" for key, item in items) + "}" if is_whole else ""


def _sequence(value: list[Any] | tuple[Any, ...]) -> str:
    items = [as_code(item) for item in value]
    if not all(items):
        return ""
    if isinstance(value, tuple):
        return f"({', '.join(items)}{',' * (len(items) == 1)})"
    return f"[{', '.join(items)}]"
