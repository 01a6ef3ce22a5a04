"""Write keys, values and comments as TOML: the only module that creates items of tomlkit."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tomlkit

from spacediff.scenario.literals import KEY, needs_python

if TYPE_CHECKING:
    from tomlkit.items import Comment, Item, Key

_INNER_TABLES = ("numerics.compile",)
"""Tables inside others, by their paths."""
_OF_COMPONENTS = "quantization."
"""Beginning of the keys of the tables inside that of a component."""
_TABLES_BY_NAME = frozenset({"components", "inputs", "lora", "textual_inversion"})


def toml_value(value: Any) -> Item:
    """Turn a value into an item that fits on one line: tables become inline tables, None becomes a Python literal.

    Raises:
        tomlkit.exceptions.ConvertError: TOML has no such value, and settings hold none.
    """
    if needs_python(value):
        return toml_value({KEY: repr(value)})
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for key, inner in value.items():
            table.append(tomlkit.key(key), toml_value(inner))
        return table
    if isinstance(value, list):
        array = tomlkit.array()
        array.extend(toml_value(inner) for inner in value)
        return array
    item: Item = tomlkit.item(value)
    return item


def toml_path(path: str) -> Key:
    """Turn the path of a setting into a dotted key: its table, and the rest as one key, which may contain dots.

    In tables that hold further tables by name, and for a table inside another, the inner name is a key of its own.
    """
    table, dot, name = path.partition(".")
    inner, further, key = name.partition(".")
    if further and (table in _TABLES_BY_NAME or f"{table}.{inner}" in _INNER_TABLES):
        last = key.split(".") if table == "components" and key.startswith(_OF_COMPONENTS) else [key]
        return tomlkit.key([table, inner, *last])
    return tomlkit.key([table, name] if dot else table)


@functools.lru_cache(maxsize=4096)
def written_key(name: str) -> str:
    """Write one key of a path, quoted if TOML requires it; characters that are not printable are escaped."""
    return "".join(map(_visible, tomlkit.key(name).as_string()))


def comment(text: str) -> Comment:
    """Make a comment from a text, which may be untrusted: it is always exactly one line."""
    return tomlkit.comment(one_line(text))


def commented(item: Item, text: str) -> Item:
    """Add a comment after an item, on the same line."""
    return item.comment(one_line(text))


def one_line(text: str) -> str:
    """Replace characters that are not printable, including line breaks, by spaces."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
