"""What differs between two ends of a search, with an adapter or component that one of them lacks as one suspect.

The key insight: half an adapter is none. A scale without the weights that it belongs to cannot be generated, so each
such probe would show nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spacediff.settings import Difference, Setting, Settings, diff

_COMPONENTS, _QUANTISATION = "components", "quantization"
_BY_NAME = frozenset({_COMPONENTS, "lora", "textual_inversion"})
_ALONE = "ip_adapter"


def differing(left: Settings, right: Settings) -> list[Difference]:
    """List what differs between two Settings, as `diff` does, with what one of them does not load as one path.

    The value of such a path is the table of its settings.
    """
    found = diff(left, right)
    units = [next((unit for unit in _units_of(each.path) if _is_whole(unit, left, right)), "") for each in found]
    kept = [each for each, unit in zip(found, units, strict=True) if not unit]
    return [*kept, *(Difference(unit, _whole(left, unit), _whole(right, unit)) for unit in sorted({*units} - {""}))]


def changed_to(differences: Mapping[str, Difference], paths: frozenset[str]) -> Settings:
    """Return the changes that give some of the differing paths the values of the right side."""
    result = Settings()
    for path in sorted(paths):
        right = differences[path].right
        if right is not None:
            result = result.changed_by(_flat(path, right))
    return result


def without(settings: Settings, paths: frozenset[str]) -> Settings:
    """Return settings without some paths and what is below them."""
    return Settings(
        {
            path: setting
            for path, setting in settings.items()
            if not any(path == each or path.startswith(f"{each}.") for each in paths)
        }
    )


def _units_of(path: str) -> list[str]:
    """Return the paths of the adapter, component and quantisation that a setting belongs to, the outermost first."""
    table, *rest = path.split(".")
    if table == _ALONE:
        return [_ALONE]
    if table not in _BY_NAME or not rest:
        return []
    unit = f"{table}.{rest[0]}"
    return [unit, f"{unit}.{_QUANTISATION}"] if table == _COMPONENTS and rest[1:2] == [_QUANTISATION] else [unit]


def _is_whole(unit: str, left: Settings, right: Settings) -> bool:
    """Whether one side lacks what a unit is, or has a word such as `own` in place of it."""
    key = f"{unit}.{'backend' if unit.endswith(f'.{_QUANTISATION}') else 'id'}"
    return (key in left) is not (key in right) or (unit in left) is not (unit in right)


def _whole(settings: Settings, unit: str) -> Setting | None:
    if unit in settings:
        return settings[unit]
    table, *rest = unit.split(".")
    values: Any = settings.table(table)
    for key in rest:
        values = values.get(key, {})
    is_part = unit.startswith(f"{_COMPONENTS}.")
    given = next(
        (each for path, each in settings.items() if path.startswith(f"{unit}.{'' if is_part else 'id'}")), None
    )
    return None if not values or given is None else Setting(values, given.origin, given.where)


def _flat(path: str, setting: Setting) -> Settings:
    if not isinstance(setting.value, Mapping) or not _units_of(path):
        return Settings({path: setting})
    nested: Any = setting.value
    for key in reversed(path.split(".")):
        nested = {key: nested}
    return Settings.of(nested, setting.origin, setting.where)
