"""Mistakes in a scenario file, in plain words.

pydantic names the place and the value; the JSON Schema knows what is expected at that place. The key insight is that a
mistake only has to combine both with a line, so a new key needs no error text of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from spacediff.errors import Mistake, nearest_name
from spacediff.scenario.locations import Parts, Places, dotted
from spacediff.scenario.tables.types import HUB_ID

Schema = Mapping[str, Any]

MAX_SHOWN = 60
"""Characters of a found value that are shown."""

KEYS = "one of the keys"
"""Beginning of what is expected in place of a key that a table does not have."""

_SYNTAX = {
    "Cannot overwrite a value": "each key once, and no table where there is a value",
    "Cannot mutate immutable namespace": "no further keys for a table that was closed with }",
    "Expected '=' after a key in a key/value pair": "a = after the key",
    "Expected newline or end of document after a statement": "the end of the line after the value",
    'Expected "\'"': "a closing quote",
    "Expected ']' at the end of a table declaration": "a ] after the table's name",
    "Illegal character '\\n'": "a closing quote before the end of the line",
    "Invalid initial character for a key part": "a key of letters, digits, - and _, or one in quotes",
    "Invalid statement": "a line such as key = value or [table]",
    "Invalid value": "a value: text in quotes, a number, true, false, [a list] or {a table}",
    "Unclosed array": "a ] at the end of the list",
    "Unclosed inline table": "a } at the end of the table, on the same line",
    "Unterminated string": "a closing quote",
}

_SYNONYMS = {"gpu": "cuda", "rocm": "cuda", "hip": "cuda", "metal": "mps", "half": "float16"}
"""Names that resemble no right one, or the wrong one: `gpu` is nearer to `cpu`."""


_OF_THE_HUB = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+)")
"""The address of a repository on the Hub; its id is meant."""


def shown(value: Any) -> str:
    """Return a value as a mistake quotes it: one line of at most `MAX_SHOWN` characters."""
    match value:
        case bool():
            return "true" if value else "false"
        case Mapping():
            return "a table" if value else "an empty table"
        case list():
            return "a list" if value else "an empty list"
        case int() if value.bit_length() > 64:  # noqa: PLR2004 - Python refuses to print numbers of many digits
            return f"a number of {value.bit_length()} bits"
        case str():
            quoted = repr(value[:MAX_SHOWN])
            return quoted if len(value) < MAX_SHOWN >= len(quoted) else f"{quoted[: MAX_SHOWN - 2]}…'"
        case _:
            return str(value)


def mistake_at(lines: Places, where: Parts, found: str, expected: str, nearest: str = "") -> Mistake:
    """Return a mistake at a place, with its line."""
    key = dotted(where)
    return Mistake(lines.line_of(key), key, found, expected, nearest)


def syntax_mistake(error: Exception, text: str, lines: Places) -> Mistake:
    """Describe where tomllib failed; its message names the line, except for errors of other kinds."""
    message, _, place = str(error).partition(" (at ")
    if not place:
        return Mistake(1, "", "a text that the TOML parser cannot read", f"simpler TOML: {shown(message)}")
    rows = text.split("\n")
    named = re.match(r"line (\d+)", place)
    line = int(named[1]) if named else len(text.rstrip().split("\n"))
    declared_twice = "each table once" if message.startswith("Cannot declare") else ""
    expected = declared_twice or _SYNTAX.get(message) or f"valid TOML: {message}"
    return Mistake(line, lines.path_on(line), shown(rows[line - 1].strip()), expected)


def translated(error: ValidationError, schema: Schema, lines: Places) -> Iterator[Mistake]:
    """Turn pydantic's findings into mistakes."""
    for finding in error.errors(include_url=False):
        kind, where, value = finding["type"], finding["loc"], finding["input"]
        if kind == "extra_forbidden":
            yield _unknown_key(schema, where, lines)
        elif kind == "missing" and isinstance(where[-1], int):  # a list of a fixed length, which says so for each item
            if where[-1] == len(value):
                yield mistake_at(lines, where[:-1], shown(list(value)), _expected(schema, _node(schema, where)))
        elif kind == "missing":
            yield mistake_at(lines, where, "nothing", _expected(schema, _node(schema, where)))
        elif where[-1] == "[key]":
            names = _node(schema, where[:-2])["propertyNames"]
            yield mistake_at(lines, where[:-1], shown(value), _expected(schema, names))
        else:
            node = _node(schema, where)
            found = f"a text of {len(value):,} characters" if kind == "string_too_long" else shown(value)
            expected = _expected(schema, node) + _as_a_table(value, node)
            yield mistake_at(lines, where, found, expected, _nearest_value(value, node))


def _as_a_table(value: Any, node: Schema) -> str:
    """Return how to write a text that stands in place of a table; empty where that is not known."""
    key = node.get("x-text-is")
    if key is None or not isinstance(value, str) or not value.strip():
        return ""
    return f", such as {{ {key} = {shown(value) if len(value) < MAX_SHOWN else '…'} }}"


def _nearest_value(value: Any, node: Schema) -> str:
    known = [*node.get("enum", ()), *node.get("examples", ()), *([node["const"]] if "const" in node else ())]
    if not isinstance(value, str):
        return ""
    address = _OF_THE_HUB.match(value)
    if address and HUB_ID in str(node.get("pattern")):
        return address[1]
    synonym = _SYNONYMS.get(value.lower(), "")
    return synonym if synonym in known else nearest_name(value, known) or nearest_name(value.lower(), known)


def _unknown_key(schema: Schema, where: Parts, lines: Places) -> Mistake:
    table = _node(schema, where[:-1])
    known = list(table.get("properties", ()))
    key = str(where[-1])
    expected = f"{KEYS} {', '.join(known)}{table.get('x-hint', '')}"
    return mistake_at(lines, where, f"the unknown key {shown(key)}", expected, nearest_name(key, known))


def _node(schema: Schema, where: Parts) -> Schema:
    """Return the subschema of a place, or of its nearest ancestor."""
    node: Schema = schema
    for part in where:
        tables = node.get("anyOf", ()) if isinstance(part, str) else ()
        options = [node, *(_resolved(schema, option) for option in tables)]
        inner = next((found for option in options if (found := _inside(option, part))), None)
        if inner is None:
            return node
        node = _resolved(schema, inner)
    return node


def _resolved(schema: Schema, node: Schema) -> Schema:
    reference = node.get("$ref", "").removeprefix("#/$defs/")
    return {**schema["$defs"][reference], **node} if reference else node


def _inside(node: Schema, part: str | int) -> Schema | None:
    if isinstance(part, int):
        return node.get("items")
    further = node.get("additionalProperties")
    found: Schema | None = node.get("properties", {}).get(part)
    found = found or next(iter(node.get("patternProperties", {}).values()), None)
    return found or (further if isinstance(further, Mapping) else None)


def _expected(schema: Schema, node: Schema) -> str:
    match node:
        case {"x-expected": expected}:
            words = str(expected)
        case {"enum": values}:
            words = f"one of {', '.join(values)}"
        case {"const": value}:
            words = shown(value)
        case {"type": "array", "items": entry}:
            words = f"a list; each entry {_expected(schema, _resolved(schema, entry))}"
        case {"type": "boolean"}:
            words = "true or false"
        case {"type": "string"}:
            words = "a text"
        case {"type": "integer" | "number" as kind}:
            words = f"a {'whole ' if kind == 'integer' else ''}number{_range(node)}"
        case {"properties": keys}:
            words = f"a table with the keys {', '.join(keys)}"
        case _:
            words = "a table"
    return words


def _range(node: Schema) -> str:
    if "exclusiveMinimum" in node:
        upper = f" and at most {node['maximum']}" if "maximum" in node else ""
        return f" above {node['exclusiveMinimum']}{upper}"
    return f" from {node['minimum']} to {node['maximum']}" if "maximum" in node else f" of at least {node['minimum']}"
