"""The tables of a scenario as the TOML parser gives them, before the schema has seen them: nothing has its type yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spacediff.scenario.locations import Parts


def table_at(data: Mapping[str, Any], *path: str | int) -> Mapping[str, Any]:
    """Return the table at a path; an empty one if there is none, or something else, which the schema reports."""
    node: Any = data
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def owners(data: Mapping[str, Any]) -> list[Parts]:
    """Return the places of the tables that hold settings: the baseline and each variant."""
    return [("baseline",), *(("variants", name) for name in table_at(data, "variants"))]
