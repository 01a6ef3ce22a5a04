"""The adapters of two sources under one name each: a name only says which adapter a later line means.

So what both sources load has the script's name, and two sources that differ in one adapter differ in its settings and
not in its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from spacediff.hub.names import present_name
from spacediff.scenario.paths import is_path
from spacediff.settings import Origin, Setting, Settings

_BY_NAME = ("lora", "textual_inversion")
_ORDER = "lora.order"
_SOURCE = ("id", "weight_name", "component")
_UNLOADED = "unloaded"
_USUAL = {
    "scale": Setting(1.0, Origin.DEFAULT, "load_lora_weights"),
    "fused": Setting(value=False, origin=Origin.DEFAULT, where="load_lora_weights"),
    _UNLOADED: Setting(value=False, origin=Origin.DEFAULT, where="load_lora_weights"),
}
"""What holds for a LoRA that is loaded and nothing else."""
NONE = Setting("none", Origin.READ, "")
"""The value in place of an adapter that one side does not load."""


def under_common_names(left: Settings, right: Settings) -> tuple[Settings, Settings]:
    """Return the settings of two sources with the right one's adapters under the names of the left one.

    A weight that only one of them gives is 1 in the other, as diffusers loads it, and nothing is fused. The order is
    compared where both load the same adapters.
    """
    for kind in _BY_NAME:
        right = _renamed(right, kind, _common_names(left, right, kind))
    left, right = _without_needless_unloading(left), _without_needless_unloading(right)
    left, right = _with_usual_values(left, right), _with_usual_values(right, left)
    if adapters_in(left, "lora") != adapters_in(right, "lora"):
        left, right = _without(left, _ORDER), _without(right, _ORDER)
    return left, right


def adapters_in(paths: Iterable[str], kind: str) -> set[str]:
    """Return the names of the adapters of a kind that are among paths."""
    split = (path.split(".") for path in paths)
    return {parts[1] for parts in split if parts[0] == kind and len(parts) > 2}  # noqa: PLR2004 - kind, name, key


def without_adapters(changes: Mapping[str, Setting], unset: Setting) -> dict[str, Setting]:
    """Return the changes of a variant in which an adapter that it does not load is one value, and not many.

    Args:
        changes: Path to the value in the Space.
        unset: The value of a setting that the Space does not set.
    """
    whole = [f"{kind}.{name}" for kind in _BY_NAME for name in adapters_in(changes, kind)]
    gone = [path for path in (*whole, "ip_adapter") if changes.get(f"{path}.id") is unset]
    kept = {path: value for path, value in changes.items() if not any(path.startswith(f"{each}.") for each in gone)}
    return {**kept, **dict.fromkeys(gone, NONE)}


def without_unloading(settings: Settings, changes: Iterable[str]) -> Settings:
    """Return settings in which an adapter is not unloaded whose fusion is changed: one that is not fused has to stay.

    Args:
        settings: The settings of a source.
        changes: The paths that are changed.
    """
    changed = {path.removesuffix("fused") + _UNLOADED for path in changes if path.startswith("lora.")}
    return Settings({path: setting for path, setting in settings.items() if path not in changed})


def _without_needless_unloading(settings: Settings) -> Settings:
    """Return settings without what is unloaded, where nothing but fused LoRAs acts: their weights are the same."""
    names = adapters_in(settings, "lora")
    if not all(settings.value(f"lora.{name}.fused") is True for name in names):
        return settings
    unloaded = {f"lora.{name}.{_UNLOADED}" for name in names}
    return Settings({path: setting for path, setting in settings.items() if path not in unloaded})


def with_local_paths(settings: Settings) -> Settings:
    """Return settings with the files of adapters as paths of a scenario, in which a name alone is an id of the Hub."""
    return Settings(
        {
            path: Setting(f"./{setting.value}", setting.origin, setting.where)
            if _is_file(path, setting.value)
            else setting
            for path, setting in settings.items()
        }
    )


def _is_file(path: str, value: Any) -> bool:
    table, _, key = path.partition(".")
    is_id = key.rpartition(".")[2] == "id" and table in (*_BY_NAME, "ip_adapter")
    return is_id and isinstance(value, str) and value.endswith(".safetensors") and not is_path(value)


def _common_names(left: Settings, right: Settings, kind: str) -> dict[str, str]:
    """Return the name that each adapter of the right side gets."""
    ours, theirs = sorted(adapters_in(left, kind)), sorted(adapters_in(right, kind))
    free, names = list(ours), dict[str, str]()

    def pair(name: str, other: str) -> None:
        names[name] = other
        free.remove(other)

    for name in theirs:
        same = [each for each in free if _source(left, kind, each) == _source(right, kind, name)]
        if same:
            pair(name, name if name in same else same[0])
    alone = [name for name in theirs if name not in names]
    if len(alone) == len(free) == 1:
        pair(alone[0], free[0])
    for name in theirs:
        if name not in names and name in free:
            pair(name, name)
    taken = {*ours, *names.values()}
    for name in theirs:
        if name not in names:
            names[name] = next(each for each in (name, f"{name}-2", f"{name}-there") if each not in taken)
            taken.add(names[name])
    return names


def _source(settings: Settings, kind: str, name: str) -> tuple[object, ...]:
    """Return where an adapter comes from; something that equals nothing else where that is unknown."""
    found = [settings.get(f"{kind}.{name}.{key}") for key in _SOURCE]
    if found[0] is None or any(each is not None and each.origin is Origin.UNKNOWN for each in found):
        return (object(),)
    place, *others = (None if each is None else each.value for each in found)
    return present_name(place).lower() if isinstance(place, str) else place, *others


def _renamed(settings: Settings, kind: str, names: Mapping[str, str]) -> Settings:
    result: dict[str, Setting] = {}
    for path, setting in settings.items():
        head, _, rest = path.partition(".")
        name, _, key = rest.partition(".")
        if path == _ORDER and kind == "lora" and isinstance(setting.value, list):
            result[path] = replace(setting, value=[names.get(each, each) for each in setting.value])
        else:
            result[f"{kind}.{names[name]}.{key}" if head == kind and key and name in names else path] = setting
    return Settings(result)


def _with_usual_values(settings: Settings, other: Settings) -> Settings:
    names = adapters_in(settings, "lora")
    given = [path.split(".") for path in other if path.startswith("lora.") and path != _ORDER]
    usual = {".".join(parts): _USUAL[parts[2]] for parts in given if parts[1] in names and parts[2] in _USUAL}
    return settings.filled_from(Settings(usual))


def _without(settings: Settings, left_out: str) -> Settings:
    return Settings({path: setting for path, setting in settings.items() if path != left_out})
