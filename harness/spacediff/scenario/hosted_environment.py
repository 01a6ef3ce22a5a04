"""`env = "space"`: in place of a table of versions, the environment of the Space that is the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spacediff.errors import Mistake
from spacediff.hub.ids import is_repository_id, space_of
from spacediff.scenario.locations import Places
from spacediff.scenario.messages import mistake_at
from spacediff.scenario.plain_tables import owners, table_at
from spacediff.scenario.tables.environment import OF_THE_SPACE

_TABLE = "env"


def with_hosted_environment(data: dict[str, Any], lines: Places) -> tuple[dict[str, Any], list[Mistake]]:
    """Return the tables of a scenario in which `env = "space"` names the Space, and where there is none to name.

    Args:
        data: The tables from the TOML parser; not changed.
        lines: The lines of its keys.
    """
    asking = [owner for owner in owners(data) if table_at(data, *owner).get(_TABLE) == OF_THE_SPACE]
    if not asking:
        return data, []
    given = table_at(data, "reference", "space").get("id")
    space = space_of(given) if isinstance(given, str) else ""
    if not is_repository_id(space):
        expected = 'a reference.space of the Hub; or env.space = "ORG/NAME"'
        found = f"env = {OF_THE_SPACE!r} without a Space of the Hub"
        return data, [mistake_at(lines, (*owner, _TABLE), found, expected) for owner in asking]
    named = {_TABLE: {"space": space}}
    result = dict(data)
    if ("baseline",) in asking:
        result["baseline"] = {**data["baseline"], **named}
    variants = data.get("variants")
    if isinstance(variants, Mapping):
        asked = {owner[1] for owner in asking if len(owner) > 1}
        result["variants"] = {name: {**table, **named} if name in asked else table for name, table in variants.items()}
    return result, []
