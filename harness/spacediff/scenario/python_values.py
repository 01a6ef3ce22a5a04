"""Find the literals of Python in a scenario, such as `{ python = "None" }`, and put their values in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spacediff.errors import Mistake
from spacediff.scenario.literals import DEEPEST, KEY, TABLES, literal
from spacediff.scenario.locations import Parts, Places
from spacediff.scenario.messages import mistake_at, shown

_EXPECTED = 'a Python literal such as "None" or "(32, 32)": None, numbers, texts, and tuples and lists of these'


def with_python_values(data: dict[str, Any], lines: Places) -> tuple[dict[str, Any], list[Mistake]]:
    """Return the tables of a scenario with the literals evaluated, and what is wrong with some of them.

    Args:
        data: The tables from the TOML parser; not changed.
        lines: The lines of its keys.
    """
    mistakes: list[Mistake] = []
    result = dict(data)
    if isinstance(data.get("baseline"), Mapping):
        result["baseline"] = _of_owner(data["baseline"], ("baseline",), lines, mistakes)
    variants = data.get("variants")
    if isinstance(variants, Mapping):
        result["variants"] = {
            name: _of_owner(table, ("variants", name), lines, mistakes) if isinstance(table, Mapping) else table
            for name, table in variants.items()
        }
    return result, mistakes


def _of_owner(tables: Mapping[str, Any], owner: Parts, lines: Places, mistakes: list[Mistake]) -> dict[str, Any]:
    result = dict(tables)
    for table in TABLES:
        arguments = tables.get(table)
        if isinstance(arguments, Mapping):
            result[table] = {
                name: _evaluated(value, (*owner, table, name), lines, mistakes) for name, value in arguments.items()
            }
    return result


def _evaluated(value: Any, where: Parts, lines: Places, mistakes: list[Mistake]) -> Any:
    if len(where) > DEEPEST:  # reported as nested too deeply
        return value
    if isinstance(value, list):
        return [_evaluated(item, (*where, index), lines, mistakes) for index, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    if KEY not in value:
        return {key: _evaluated(item, (*where, key), lines, mistakes) for key, item in value.items()}
    text = value[KEY]
    try:
        if len(value) > 1 or not isinstance(text, str):
            raise ValueError  # noqa: TRY301 - reported below like any other mistake
        return literal(text)
    except ValueError:
        found = f"{KEY} beside other keys" if len(value) > 1 else shown(text)
        mistakes.append(mistake_at(lines, (*where, KEY), found, f"{KEY} alone" if len(value) > 1 else _EXPECTED))
        return None
