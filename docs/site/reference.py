"""The pages of the reference that are drawn from code: keys of a scenario, texts of `--help`, and the Python API."""

from __future__ import annotations

import argparse
import inspect
import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import spacediff
from docs.site.tree import GeneratedPage
from spacediff.cli.parser import parsers
from spacediff.scenario.scenario import scenario_schema

_NAME = "*any name*"


def pages() -> list[GeneratedPage]:
    """Draw all of them."""
    return [
        GeneratedPage("keys.md", "every key of a scenario with its type and default, from the JSON Schema", keys()),
        GeneratedPage("help.md", "what `--help` of every command prints", help_texts()),
        GeneratedPage("python.md", "every function and class of the Python API, from its docstring", python_api()),
    ]


def keys() -> str:
    """Return a page with a table for each table of a scenario, of all its keys.

    Types are those of JSON Schema; a table that others refer to is a section of its own.
    """
    schema = scenario_schema()
    tables = {"Scenario": schema, **schema["$defs"]}
    text = [
        "# Keys of a scenario\n",
        "Drawn from the JSON Schema that `spacediff schema` prints. [Scenarios](scenario.md) explains the tables and",
        "shows examples.\n",
    ]
    for name, table in tables.items():
        rows = list(_rows(table, tables))
        if rows:
            text += [f"## {name}\n", f"{_cell(table.get('description', ''))}\n", "| key | type | default | meaning |"]
            text += ["|---|---|---|---|", *rows, ""]
    return "\n".join(text)


def _rows(table: dict[str, Any], tables: dict[str, dict[str, Any]]) -> Iterator[str]:
    required = set(table.get("required", ()))
    for key, value in [*table.get("properties", {}).items(), *_by_name(table)]:
        shown = key if key == _NAME else f"`{key}`"
        default = "required" if key in required else _code(value["default"]) if "default" in value else ""
        of_table = tables.get(_name(value), {}).get("description", "")
        yield f"| {shown} | {_type(value)} | {default} | {_cell(value.get('description', of_table))} |"


def _by_name(table: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    others = [*table.get("patternProperties", {}).values(), table.get("additionalProperties")]
    for each in others:
        if isinstance(each, dict):
            yield _NAME, each


def _type(value: dict[str, Any]) -> str:
    """Return the type of a value in words, with a link to its table."""
    several = value.get("anyOf") or value.get("oneOf")
    kind = value.get("type", "any value")
    if name := _name(value):
        words = [f"[{name}](#{name.lower()})"]
    elif "x-expected" in value:
        words = [_cell(value["x-expected"])]
    elif several:
        words = [_type(each) for each in several]
    elif "const" in value or "enum" in value:
        words = [_code(each) for each in value.get("enum", [value.get("const")])]
    elif kind == "array":
        words = [f"list of {_type(value.get('items', {}))}"]
    elif kind == "object":
        words = [f"by name: {_type(each)}" for _, each in _by_name(value)] or ["table"]
    else:
        words = [kind] if isinstance(kind, str) else kind
    return " or ".join(dict.fromkeys(words))


def _name(value: dict[str, Any]) -> str:
    """Return the name of the table that a value is; empty if it is none."""
    return str(value.get("$ref", "")).rpartition("/")[2]


def _code(value: object) -> str:
    return f"`{_cell(json.dumps(value, ensure_ascii=False))}`"


def _cell(text: str) -> str:
    """Return a text for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def help_texts() -> str:
    """Return a page with the help of every command, as a terminal of 96 columns shows it."""
    whole, commands = parsers()
    text = [
        "# Help of every command\n",
        "What the commands print with `--help`. [Commands](commands.md) explains them, with exit codes and files.\n",
    ]
    for name, parser in {"spacediff": whole, **commands}.items():
        text += [f"## {name}\n", "```text", _help(parser), "```\n"]
    return "\n".join(text)


def _help(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = partial(argparse.RawDescriptionHelpFormatter, width=96)
    return parser.format_help().rstrip()


def python_api() -> str:
    """Return a page with all public functions and classes; Sphinx puts in signatures and docstrings.

    Errors are left out: errors.md describes them.
    """
    public = {name: getattr(spacediff, name) for name in sorted(spacediff.__all__)}
    functions = [name for name, each in public.items() if callable(each) and not inspect.isclass(each)]
    classes = [
        name
        for name, each in public.items()
        if inspect.isclass(each) and not issubclass(each, spacediff.SpacediffError)
    ]
    text = [
        "# Python API, name by name\n",
        "Drawn from the docstrings. [Python API](api.md) has examples and lists the names by what they are for;",
        "[Errors](errors.md) describes the errors.\n",
        *_sections("Functions", functions, "autofunction"),
        *_sections("Classes", classes, "autoclass"),
    ]
    return "\n".join(text)


def _sections(title: str, names: Iterable[str], directive: str) -> Iterator[str]:
    yield f"## {title}\n"
    for name in names:
        yield f"### {name}\n"
        yield f"```{{eval-rst}}\n.. {directive}:: spacediff.{name}\n```\n"
