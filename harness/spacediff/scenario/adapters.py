"""Adapters in a scenario: listed in a file, held by name, and in one order.

The key insight is that a list cannot be changed in one place, and tables by name have no order. So a list becomes
tables by name and one further setting, `lora.order`, which exists where there are several.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from spacediff.errors import Mistake
from spacediff.scenario.locations import Parts, Places, dotted
from spacediff.scenario.messages import mistake_at, shown
from spacediff.scenario.plain_tables import owners, table_at
from spacediff.scenario.script_checks import has_script
from spacediff.scenario.tables.types import NAME, NAME_WORDS
from spacediff.settings import Setting, Settings

NONE = "none"
"""Value in place of the table of an adapter that a variant does not load."""
ORDER = "order"
"""Key next to the adapters, which no adapter can be named."""
_BY_NAME = ("lora", "textual_inversion")
_TABLES = (*_BY_NAME, "ip_adapter")


def by_name(data: dict[str, Any], lines: Places) -> tuple[dict[str, Any], Places, list[Mistake]]:
    """Return a scenario's tables with adapters by name, the lines of its keys, and what is wrong with the names.

    Args:
        data: The tables from the TOML parser.
        lines: The lines of its keys.
    """
    mistakes: list[Mistake] = []
    renamed: dict[str, str] = {}
    for owner in owners(data):
        tables = table_at(data, *owner)
        for kind in _TABLES:
            if kind not in tables:
                continue
            where = (*owner, kind)
            found = tables[kind]
            if kind == "lora" and isinstance(found, list):
                found = _of_list(found, where, lines, mistakes, renamed)
            elif kind in _BY_NAME and isinstance(found, Mapping):
                mistakes += _wrong_names(found, where, lines)
            data = _with(data, where, _with_removals(found, kind))
    return data, lines.renamed(renamed) if renamed else lines, mistakes


def declared(nested: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a baseline or variant as settings: an adapter that is not loaded is the value `none`."""
    result = dict(nested)
    for kind in _BY_NAME:
        if isinstance(result.get(kind), Mapping):
            result[kind] = {name: _declared_one(table) for name, table in result[kind].items()}
    if "ip_adapter" in result:
        result["ip_adapter"] = _declared_one(result["ip_adapter"])
    return result


def with_order(before: Settings, changes: Settings) -> Settings:
    """Return the changes of a variant with the order of the adapters that it leads to, where that is another one.

    Adapters keep their order, and new ones come last, unless the variant lists all of them.

    Args:
        before: The settings of the baseline.
        changes: What the variant changes.
    """
    after = before.changed_by(changes)
    names = adapter_names(after)
    own = changes.value(f"lora.{ORDER}", [])
    if set(own) >= set(names):
        order = [name for name in own if name in names]
    else:
        kept = [name for name in in_order(before) if name in names]
        new = [name for name in (*own, *names) if name not in kept]
        order = [*kept, *dict.fromkeys(new)]
    others = Settings({path: setting for path, setting in changes.items() if path != f"lora.{ORDER}"})
    if order == in_order(before.changed_by(others)):
        return others
    origin = next((setting for path, setting in changes.items() if path.startswith("lora.")), None)
    if origin is None:
        return changes
    given = changes.get(f"lora.{ORDER}", origin)
    return others.changed_by(Settings({f"lora.{ORDER}": Setting(order, given.origin, given.where)}))


def in_order(settings: Settings) -> list[str]:
    """Return the names of the LoRAs that settings load, in the order in which they are loaded."""
    names = adapter_names(settings)
    first = [name for name in settings.value(f"lora.{ORDER}") or () if name in names]
    return [*first, *(name for name in names if name not in first)]


def adapter_names(settings: Settings) -> list[str]:
    """Return the names of the LoRAs that settings load, sorted."""
    return [name for name, table in settings.table("lora").items() if isinstance(table, Mapping) and name != ORDER]


def checks_of_adapters(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find adapters without weights, changes of adapters that are not there, and switches that contradict."""
    for kind in _TABLES:
        loading = _loading(data, kind)
        for owner in owners(data):
            known = {name for name, by in loading.items() if by - {owner}} if owner != ("baseline",) else set()
            for where, table in _each(data, owner, kind):
                if "id" not in table and where[-1] not in known and not has_script(data):  # it loads its own
                    loaded = f"; loaded are {', '.join(sorted(known))}" if known else ""
                    expected = f"the id of its weights, a Hub id, a folder or a .safetensors file{loaded}"
                    yield mistake_at(lines, where, f"no id for {shown(where[-1])}", expected)
                is_loose = table.get("fused") is False or (owner == ("baseline",) and not table.get("fused"))
                if "lora_scale" in table and is_loose:
                    expected = "fused = true, or scale in its place: fuse_lora alone reads lora_scale"
                    yield mistake_at(lines, (*where, "lora_scale"), "lora_scale without fused", expected)
                if table.get("unloaded") and table.get("fused") is False:
                    expected = "fused = true, or no unloaded: what is not fused has no effect once it is unloaded"
                    yield mistake_at(lines, (*where, "unloaded"), "unloaded without fused", expected)


def _loading(data: Mapping[str, Any], kind: str) -> dict[str, set[Parts]]:
    """Return the adapters of a kind by name, each with the baseline and the variants that load it."""
    found: dict[str, set[Parts]] = {}
    for owner in owners(data):
        for where, table in _each(data, owner, kind):
            if "id" in table:
                found.setdefault(str(where[-1]), set()).add(owner)
    return found


def _each(data: Mapping[str, Any], owner: Parts, kind: str) -> Iterator[tuple[Parts, Mapping[str, Any]]]:
    """Yield the place and the table of each adapter."""
    given = table_at(data, *owner, kind)
    if kind not in _BY_NAME:
        yield from (((*owner, kind), given),) if given else ()
        return
    yield from (((*owner, kind, name), table) for name, table in given.items() if isinstance(table, Mapping))


def _of_list(
    entries: list[Any], where: Parts, lines: Places, mistakes: list[Mistake], renamed: dict[str, str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, entry in enumerate(entries):
        at = (*where, index)
        if not isinstance(entry, Mapping):
            mistakes.append(mistake_at(lines, at, shown(entry), "a table with the keys name, id, scale, …"))
            continue
        name = entry.get("name")
        if name is None:
            mistakes.append(mistake_at(lines, at, "an adapter without name", f"name = NAME, {NAME_WORDS}"))
        elif wrong := _wrong_name(name):
            mistakes.append(mistake_at(lines, (*at, "name"), shown(name), wrong))
        elif name in found:
            mistakes.append(mistake_at(lines, (*at, "name"), shown(name), "a name that no other adapter here has"))
        else:
            found[name] = {key: value for key, value in entry.items() if key != "name"}
            renamed[dotted(at)] = dotted((*where, name))
    return {**found, **({ORDER: list(found)} if len(found) > 1 else {})}


def _wrong_names(tables: Mapping[str, Any], where: Parts, lines: Places) -> Iterator[Mistake]:
    for name in tables:
        if (wrong := _wrong_name(name)) and (where[-1] != "lora" or name != ORDER):
            yield mistake_at(lines, (*where, name), shown(name), wrong)


def _wrong_name(name: Any) -> str:
    if name == ORDER:
        return f"another name: {ORDER} is the key of the order of the adapters"
    return "" if isinstance(name, str) and re.match(NAME, name) else NAME_WORDS


def _with_removals(found: Any, kind: str) -> Any:
    if found == NONE and kind not in _BY_NAME:
        return {"removed": True}
    if kind not in _BY_NAME or not isinstance(found, Mapping):
        return found
    return {name: {"removed": True} if table == NONE else table for name, table in found.items()}


def _declared_one(table: Any) -> Any:
    return NONE if isinstance(table, Mapping) and table.get("removed") else table


def _with(data: dict[str, Any], where: Parts, value: Any) -> dict[str, Any]:
    key, *rest = where
    inner = _with(data[str(key)], tuple(rest), value) if rest else value
    return {**data, str(key): inner}
