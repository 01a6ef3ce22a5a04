"""Adapters of a pipeline: LoRA weights, which of them are in force and how strongly; IP adapters, textual inversion.

The key insight is that what counts at a call is neither the last method nor all of them. A LoRA that was fused stays
in the weights after it is unloaded, one that is loaded has no effect before it is active, and the last one that is
loaded is active. So the state of all adapters is one value, which branches keep apart as they do with any other.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.checkpoints import located
from spacediff.reading.libraries.diffusers.paths import Paths, each_path, name_in_a_path
from spacediff.reading.values import (
    Absent,
    Arguments,
    Asked,
    Either,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    alternatives,
    conditions_of,
    either,
    lift,
)
from spacediff.reading.values.inputs import shown

ADAPTERS = "adapters"
"""Key of the state in the pipeline; not the path of a setting."""
_DIGITS = 10
"""Digits of a scale, so that 0.7 * 0.9 is 0.63."""
_LARGEST = 1e6
"""A factor of a scale; a larger one is no weight."""
_SCALING = ("cross_attention_kwargs", "joint_attention_kwargs", "attention_kwargs")
"""Arguments of a call whose `scale` is that of its adapters."""
_FIELDS = ("weight_name", "subfolder", "revision")
_SECOND = "load_into_transformer_2"
"""Argument of the loader that is the setting `component`."""
_UNLOADED = "unloaded"


@dataclass(frozen=True, slots=True)
class _Adapters:
    """The LoRA adapters of a pipeline, by name.

    Attributes:
        loaded: Adapter to where its weights come from.
        active: Active adapter to its weight; None if the source gives none.
        fused: Adapter that is part of the model's weights to its source, with the scale.
        is_enabled: Whether active adapters have an effect.
    """

    loaded: dict[str, Table] = field(default_factory=dict)
    active: dict[str, Value | None] = field(default_factory=dict)
    fused: dict[str, Table] = field(default_factory=dict)
    is_enabled: bool = True

    def in_force(self, scale: Value | None) -> dict[str, Table]:
        """Return what the weights and the active adapters add to the model, by name; a call scales the latter."""
        active = {
            name: _scaled(self.loaded.get(name, Table("", ())), weight, scale)
            for name, weight in (self.active.items() if self.is_enabled else ())
            if name not in self.fused
        }
        return {**self.fused, **active}

    def as_value(self, where: str) -> Table:
        """Return the state as a value that the heap can keep."""
        active = tuple((name, weight or Absent(where)) for name, weight in self.active.items())
        return Table(where, (
            ("loaded", Table(where, tuple(self.loaded.items()))),
            ("active", Table(where, active)),
            ("fused", Table(where, tuple(self.fused.items()))),
            ("enabled", Known(where, self.is_enabled)),
        ))  # fmt: skip


def _adapters_of(value: Value | None) -> _Adapters:
    if not isinstance(value, Table):
        return _Adapters()
    loaded, active, fused, enabled = (one for _, one in value.items)
    return _Adapters(
        _tables(loaded),
        {name: None if isinstance(weight, Absent) else weight for name, weight in _named(active).items()},
        _tables(fused),
        enabled == replace(enabled, value=True) if isinstance(enabled, Known) else True,
    )


def _named(value: Value) -> dict[str, Value]:
    return value.named if isinstance(value, Table) else {}


def _tables(value: Value) -> dict[str, Table]:
    return {name: one for name, one in _named(value).items() if isinstance(one, Table)}


_Change = Callable[[State, _Adapters, Arguments, ast.AST], Value]
"""Returns the state after a method."""


def change_adapters(state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST) -> bool:
    """Follow a method that loads, weighs, fuses or removes LoRA adapters; return whether it is one."""
    change = _CHANGES.get(name)
    if change is None:
        return False
    before = state.get(pipeline, ADAPTERS) or Absent(state.where(node))
    name_of_one = arguments.get("adapter_name", 1)
    if change is _load and not isinstance(name_of_one, Known) and state.is_repeated(pipeline.cell):
        before = state.unknown(node)  # a loop over several adapters
    after = [
        option if isinstance(option, Unknown) else change(state, _adapters_of(option), arguments, node)
        for option in alternatives(before)
    ]
    decided = isinstance(before, Either) and before.decided
    state.put(pipeline, ADAPTERS, either(after, state.where(node), decided=decided, only_if=conditions_of(before)))
    return True


def adapter_paths(state_of_all: Value | None, where: str, scale: Value | None = None) -> Paths:
    """Return the settings of the adapters that are in force.

    Each is described by `lora.NAME.id`, `lora.NAME.scale` and so on, and the order of several by `lora.order`.

    Args:
        state_of_all: The state of the adapters.
        where: File and line of what an alternative lacks.
        scale: What the call multiplies the weights of active adapters by; None if it gives nothing.
    """
    return each_path(state_of_all, lambda option: _paths_of(option, scale), where)


def scale_of_call(arguments: Mapping[str, Value]) -> tuple[str, Value] | None:
    """Return the argument of a call that scales all active adapters, and the scale; None without one."""
    for name in _SCALING:
        given = arguments.get(name)
        scale = given.named.get("scale") if isinstance(given, Table) else None
        if scale is not None:
            return name, scale
    return None


def _paths_of(value: Value, scale: Value | None) -> dict[str, Value]:
    if isinstance(value, Unknown):
        return {"lora.adapters": value}
    found = {name_in_a_path(name) or "lora": table for name, table in _adapters_of(value).in_force(scale).items()}
    paths = {f"lora.{name}.{key}": one for name, table in found.items() for key, one in table.named.items()}
    if len(found) > 1:
        where = next(iter(found.values())).where
        paths["lora.order"] = Items(where, tuple(Known(where, name) for name in found))
    return paths


def _load(state: State, before: _Adapters, arguments: Arguments, node: ast.AST) -> Value:
    where = state.where(node)
    source = arguments.get("pretrained_model_name_or_path_or_dict", 0)
    if isinstance(source, Asked) and source.value == Known(source.value.where, None):
        if state.usual:
            return before.as_value(where)  # the user gives none
        source = replace(source, value=Unknown(source.where, f"no default: {source.source.label}"))
    place = located(state, source if source is not None else state.unknown(node))
    fields = {"id": place.repository}
    if place.path:
        fields["weight_name"] = place.path
    fields |= {key: arguments.named[key] for key in _FIELDS if key in arguments.named}
    if _SECOND in arguments.named:
        fields |= _component(arguments.named[_SECOND])
    given = arguments.get("adapter_name", 1)
    if given is None or given == Known(given.where, None):
        names = (f"default_{number}" for number in range(len(before.loaded) + 1))  # as diffusers names it
        unused = next(name for name in names if name not in before.loaded)
        return _with_loaded(before, unused, Table(where, tuple(fields.items())))
    table = Table(where, tuple(fields.items()))
    return lift(lambda name: _with_loaded(before, shown(name), table), [given])


def _component(second: Value) -> dict[str, Value]:
    if second == Known(second.where, value=False):
        return {}
    return {"component": Known(second.where, "transformer_2") if second == Known(second.where, value=True) else second}


def _with_loaded(before: _Adapters, name: str, table: Table) -> Table:
    return replace(
        before, loaded={**before.loaded, name: table}, active={name: None}, fused=_beside(before, name)
    ).as_value(table.where)


def _beside(before: _Adapters, name: str) -> dict[str, Table]:
    """Return what is fused, under another name where an adapter gets the name of one that was unloaded."""
    if name in before.loaded or name not in before.fused:
        return before.fused
    numbered = (f"{name}-fused{number or ''}" for number in range(len(before.fused) + 1))
    other = next(each for each in numbered if each not in before.fused)
    return {other if each == name else each: one for each, one in before.fused.items()}


def _activate(state: State, before: _Adapters, arguments: Arguments, node: ast.AST) -> Value:
    where = state.where(node)
    weights = arguments.get("adapter_weights", 1) or Absent(where)

    def active(*names: Value) -> Value:
        each = {shown(name): _weight(weights, place) for place, name in enumerate(names)}
        return replace(before, active=each, is_enabled=True).as_value(where)

    return _for_names(arguments.get("adapter_names", 0), active, state.unknown(node))


def _for_names(names: Value | None, change: Callable[..., Value], unknown: Unknown) -> Value:
    """Return the state after a change for one name or several; `unknown` if a name is not known."""

    def changed(*each: Value) -> Value:
        return change(*each) if all(isinstance(name, Known) for name in each) else unknown

    def listed(one: Value) -> Value:
        if isinstance(one, Items):
            return unknown if one.open else lift(changed, one.items)
        return changed(one)

    return lift(listed, [names]) if names is not None else unknown


def _weight(weights: Value, place: int) -> Value | None:
    """Return the weight of the adapter at a place in the list of names; one number holds for all of them."""

    def chosen(one: Value) -> Value:
        if not isinstance(one, Items):
            return one
        return one.items[place] if place < len(one.items) else Unknown(one.where, "no weight")

    found = lift(chosen, [weights])
    return None if isinstance(found, Absent) or found == Known(found.where, None) else found


def _fuse(state: State, before: _Adapters, arguments: Arguments, node: ast.AST) -> Value:
    where = state.where(node)
    scale = arguments.named.get("lora_scale")

    def fused(*names: Value) -> Value:
        chosen = [shown(name) for name in names] if names else list(before.active)
        added = {}
        for name in chosen or [""]:
            source = before.loaded.get(name, Table(where, ()))
            added[name] = _scaled(source, before.active.get(name), scale).with_item("fused", Known(where, value=True))
        return replace(before, fused={**before.fused, **added}).as_value(where)

    names = arguments.named.get("adapter_names")
    if names is None or names == Known(names.where, None):
        return fused()
    return _for_names(names, fused, state.unknown(node))


def _scaled(source: Table, *factors: Value | None) -> Table:
    """Return an adapter with its scale: the product of the factors that the source gives."""
    given = [factor for factor in factors if factor is not None]
    if not given:
        return source
    given = [factor for factor in given if not _is_one(factor)] or given[:1]
    return source.with_item("scale", lift(_product, given) if len(given) > 1 else given[0])


def _is_one(factor: Value) -> bool:
    return isinstance(factor, Known) and not isinstance(factor.value, bool) and factor.value == 1


def _product(*factors: Value) -> Value:
    numbers = [one.value for one in factors if isinstance(one, Known) and isinstance(one.value, int | float)]
    if len(numbers) < len(factors) or any(abs(number) > _LARGEST for number in numbers):
        return Unknown(factors[-1].where, "the weight of the adapter times lora_scale")
    return Known(factors[-1].where, round(math.prod(numbers), _DIGITS))


def _set(**changes: Any) -> _Change:
    """Return the change of a method that needs no arguments."""
    return lambda state, before, _, node: replace(before, **changes).as_value(state.where(node))


def _unload(state: State, before: _Adapters, _: Arguments, node: ast.AST) -> Value:
    where = state.where(node)
    fused = {name: one.with_item(_UNLOADED, Known(where, value=True)) for name, one in before.fused.items()}
    return replace(before, loaded={}, active={}, fused=fused).as_value(where)


def _delete(state: State, before: _Adapters, arguments: Arguments, node: ast.AST) -> Value:
    def deleted(*names: Value) -> Value:
        gone = {shown(name) for name in names}
        loaded = {name: one for name, one in before.loaded.items() if name not in gone}
        active = {name: weight for name, weight in before.active.items() if name not in gone}
        return replace(before, loaded=loaded, active=active).as_value(state.where(node))

    return _for_names(arguments.get("adapter_names", 0), deleted, state.unknown(node))


_CHANGES: dict[str, _Change] = {
    "load_lora_weights": _load,
    "load_lora_adapter": _load,
    "load_attn_procs": _load,
    "set_adapters": _activate,
    "set_adapter": _activate,
    "fuse_lora": _fuse,
    "unfuse_lora": _set(fused={}),
    "unload_lora_weights": _unload,
    "unload_lora": _unload,
    "disable_lora": _set(is_enabled=False),
    "disable_adapters": _set(is_enabled=False),
    "enable_lora": _set(is_enabled=True),
    "enable_adapters": _set(is_enabled=True),
    "delete_adapters": _delete,
}
"""Method to what it changes."""
