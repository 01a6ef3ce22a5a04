"""Where a pipeline is placed: `.to(...)`, offloading with its device and options, and what device follows from it."""

from __future__ import annotations

import ast

from spacediff.devices import OFFLOADS, index_of, is_device, type_of
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.devices import best_device
from spacediff.reading.libraries.torch_types import DTYPES, device_of_value, dtype_of_value
from spacediff.reading.machines import NO_ACCELERATOR
from spacediff.reading.model import IgnoredArgument
from spacediff.reading.signatures import dropped
from spacediff.reading.values import (
    Absent,
    Arguments,
    External,
    Known,
    Object,
    Unknown,
    Value,
    alternatives,
    lift,
)
from spacediff.reading.values.inputs import json_of

OFFLOAD_METHODS = {f"enable_{placement}": placement for placement in OFFLOADS}
MOVES = frozenset({"to", "cuda", "half", "cpu"})
_PLACES_OR_CASTS = frozenset({"device", "dtype", "torch_device", "torch_dtype"})
"""Keyword arguments of `to` that change a pipeline; `silence_dtype_warnings` is none of them."""
_LOSES_NOTHING = "float32"
"""The dtype that weights can be loaded in first, to give what loading them in another one gives."""
_OPTION = "offload."
"""Beginning of the paths of offloading's options, which a scenario does not have."""
_OPTIONS_OF_SCENARIOS = {"offload_type": "leaf_level"}
"""Options of group offloading with which a scenario's placement `group_offload` is applied."""
_TYPE_OF_DIFFUSERS = "block_level"
"""Default of diffusers for the option `offload_type`."""


def move(state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST) -> None:
    """Follow `pipe.to(...)`, `pipe.cuda()`, `pipe.cpu()` and `pipe.half()`."""
    if name in {"cuda", "cpu"}:
        number = arguments.get("device", 0) if name == "cuda" else None
        place(state, pipeline, lift(device_of_value, [number]) if number else Known(state.where(node), name), node)
    if name == "half":
        _cast(state, pipeline, Known(state.where(node), "float16"))
    for value in _used_by_to(state, arguments, node) if name == "to" else ():
        kind = dtype_of_value(value)
        first = alternatives(kind)[0]
        if isinstance(first, Known) and first.value in DTYPES.values():
            _cast(state, pipeline, kind)
        elif not (isinstance(first, External) and "_format" in first.name):
            place(state, pipeline, lift(device_of_value, [value]), node)


def _used_by_to(state: State, arguments: Arguments, node: ast.AST) -> list[Value]:
    """Return the arguments of `pipe.to(...)` that the installed diffusers uses; the others are noted as ignored."""
    used = list(arguments.positional)
    for key, value in arguments.named.items():
        reason = dropped("DiffusionPipeline", "to", key)
        if reason is None and key in _PLACES_OR_CASTS:
            used.append(value)
        elif reason is not None:
            state.ignore(IgnoredArgument(key, json_of(value), "the pipeline's .to()", state.where(node), reason))
    return [one for one in used if not (isinstance(one, Known) and isinstance(one.value, bool))]


def _cast(state: State, pipeline: Object, dtype: Value) -> None:
    """Cast a pipeline with all its parts, those included that were loaded by themselves."""
    _convert(state, pipeline, "model", dtype)
    for value in list(state.heap.cell(pipeline.cell).values()):
        for one in alternatives(value):
            if (
                isinstance(one, Object)
                and one.kind == "part"
                and any(key.startswith("own.") for key in state.heap.cell(one.cell))
            ):
                convert_part(state, one, dtype)


def convert_part(state: State, part: Object, dtype: Value) -> None:
    """Store the dtype that a part is converted to, and the one that its weights were rounded to before, if any."""
    _convert(state, part, "own", dtype)


def _convert(state: State, converted: Object, table: str, dtype: Value) -> None:
    before = state.get(converted, f"{table}.dtype")
    known = (_LOSES_NOTHING, json_of(dtype))
    if before is not None and not isinstance(before, Absent) and json_of(before) not in known:
        state.put(converted, f"{table}.converted_from", before)
    state.put(converted, f"{table}.dtype", dtype)


def place(state: State, pipeline: Object, placement: Value, node: ast.AST) -> None:
    """Place a pipeline; options of an earlier placement are taken back."""
    for path in [path for path in state.heap.cell(pipeline.cell) if path.startswith(_OPTION)]:
        state.put(pipeline, path, Absent(state.where(node)))
    state.put(pipeline, "placement", placement)


def offload(state: State, pipeline: Object, placement: str, arguments: Arguments, node: ast.AST) -> None:
    """Follow a method such as `enable_model_cpu_offload`, with the accelerator that it is given."""
    where = state.where(node)
    in_groups = placement == "group_offload"
    number = None if in_groups else arguments.get("gpu_id", 0)
    given = arguments.get("onload_device", 0) if in_groups else arguments.get("device", 1)
    device = lift(device_of_value, [given]) if given is not None else Known(where, None)

    def named(one: Value, index: Value) -> Value:
        chosen = index.value if isinstance(index, Known) else 0
        known = isinstance(one, Known) and one.value is not None
        found = chosen or (index_of(str(one.value)) if isinstance(one, Known) and known else 0)
        return Known(where, f"{placement}:{found}" if found else placement)

    place(state, pipeline, lift(named, [device, number or Known(where, None)]), node)
    if any(isinstance(one, Known) and one.value == NO_ACCELERATOR for one in alternatives(device)):
        best = best_device(state, node)  # a scenario offloads onto the CPU only where there is nothing else
        if not (isinstance(best, Known) and best.value == NO_ACCELERATOR):
            state.put(pipeline, f"{_OPTION}device", device)
    if in_groups:
        _group_options(state, pipeline, arguments, where)


def _group_options(state: State, pipeline: Object, arguments: Arguments, where: str) -> None:
    options = {key: value for key, value in arguments.named.items() if key not in {"onload_device", "offload_device"}}
    options.setdefault("offload_type", Known(where, _TYPE_OF_DIFFUSERS))
    for key, value in options.items():
        usual = (_OPTIONS_OF_SCENARIOS[key],) if key in _OPTIONS_OF_SCENARIOS else (None, False)
        if not isinstance(value, Known) or value.value not in usual:
            state.put(pipeline, f"{_OPTION}{key}", value)


def device_of(state: State, pipeline: Object, name: str, node: ast.AST) -> Value | None:
    """Return the `device` of a pipeline, which follows from its placement; None if nothing placed it."""
    placement = state.get(pipeline, "placement")

    def of(one: Value) -> Value:
        text = str(one.value) if isinstance(one, Known) else ""
        if is_device(text):
            return one
        if type_of(text) in OFFLOADS and name == "_execution_device":
            best = best_device(state, node)
            number = index_of(text)
            return Known(best.where, f"{best.value}:{number}") if number and isinstance(best, Known) else best
        if type_of(text) == "model_cpu_offload":
            return Known(one.where, NO_ACCELERATOR)
        return Unknown(one.where, f"the pipeline's {name}")

    return None if placement is None else lift(of, [placement])
