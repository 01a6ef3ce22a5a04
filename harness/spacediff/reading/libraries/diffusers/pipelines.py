"""Methods of a pipeline: where it is placed, what is switched on, and which LoRA it carries."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.calls import call_pipeline
from spacediff.reading.libraries.diffusers.parts import VAE_SWITCHES, note_numerics, objects_of
from spacediff.reading.libraries.name_clues import CACHING
from spacediff.reading.libraries.torch_types import DTYPES, device_of_value, dtype_of_value
from spacediff.reading.values import (
    Absent,
    Arguments,
    Either,
    External,
    Items,
    Known,
    Object,
    Unknown,
    Value,
    alternatives,
    lift,
)

_OFFLOADS = {
    "enable_model_cpu_offload": "model_cpu_offload",
    "enable_sequential_cpu_offload": "sequential_cpu_offload",
    "enable_group_offload": "group_offload",
}
_WITHOUT_EFFECT = frozenset({
    "set_progress_bar_config", "maybe_free_model_hooks", "enable_attention_slicing", "remove_all_hooks",
})  # fmt: skip


def call_pipeline_method(
    state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST
) -> Value | None:
    """Return the result of a method of a pipeline, after noting what it changes; None for an unknown one."""
    if name == "__call__":
        return call_pipeline(state, pipeline, arguments, node)
    here = Known(state.where(node), value=True)
    switch, _, what = name.partition("_")
    if name in {"to", "cuda", "half", "cpu"}:
        _move(state, pipeline, name, arguments, node)
    elif name in _OFFLOADS:
        state.put(pipeline, "placement", Known(here.where, _OFFLOADS[name]))
    elif what in VAE_SWITCHES and switch in {"enable", "disable"}:
        for part in objects_of(state.get(pipeline, "vae")):
            state.put(part, VAE_SWITCHES[what], Known(here.where, switch == "enable"))
    elif "lora" in name or name == "set_adapters":
        _note_lora(state, pipeline, name, arguments, node)
    elif note_numerics(state, pipeline, name, arguments, here) or name in _WITHOUT_EFFECT:
        pass
    elif name.startswith(("enable_", "load_", "fuse_", "set_")) or CACHING.search(name):
        state.note("caching" if CACHING.search(name) else "pipeline", node)
    else:
        return None
    return pipeline


def _move(state: State, target: Object, name: str, arguments: Arguments, node: ast.AST) -> None:
    if name in {"cuda", "cpu"}:
        state.put(target, "placement", Known(state.where(node), name))
    if name == "half":
        state.put(target, "model.dtype", Known(state.where(node), "float16"))
    for value in arguments.every() if name == "to" else ():
        kind = dtype_of_value(value)
        first = alternatives(kind)[0]
        if isinstance(first, Known) and first.value in DTYPES.values():
            state.put(target, "model.dtype", kind)
        elif not (isinstance(first, External) and "_format" in first.name):
            state.put(target, "placement", lift(device_of_value, [value]))


def _note_lora(state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST) -> None:
    state.note("LoRA", node)
    found: dict[str, Value | None] = {}
    if name == "load_lora_weights":
        found = {"lora.id": arguments.get("pretrained_model_name_or_path_or_dict", 0)}
        found |= {f"lora.{key}": arguments.get(key) for key in ("weight_name", "adapter_name")}
    elif name == "set_adapters":
        found = {"lora.scale": arguments.get("adapter_weights", 1)}
    elif name == "fuse_lora":
        found = {"lora.fused": Known(state.where(node), value=True), "lora.scale": arguments.get("lora_scale")}
    elif name in {"unload_lora_weights", "unfuse_lora", "disable_lora", "delete_adapters"}:
        found = {"lora.fused": Known(state.where(node), value=False)}
        if name != "unfuse_lora":
            loaded = [key for key in state.heap.cell(pipeline.cell) if key.startswith("lora.")]
            found |= {key: Absent(state.where(node)) for key in loaded}
            found.pop("lora.fused", None)
    for path, value in found.items():
        if value is None:
            continue
        before = state.get(pipeline, path)
        several = name == "load_lora_weights" and before is not None and not isinstance(before, Absent | Either)
        items = before.items if isinstance(before, Items) else (before,) if before else ()
        state.put(pipeline, path, Items(value.where, (*items, value)) if several else _single(value))


def _single(value: Value) -> Value:
    return value.items[0] if isinstance(value, Items) and len(value.items) == 1 and not value.open else value


def device_of(state: State, pipeline: Object, name: str) -> Value | None:
    """Return the `device` of a pipeline, which follows from its placement; None if nothing placed it."""
    placement = state.get(pipeline, "placement")

    def of(one: Value) -> Value:
        if isinstance(one, Known) and one.value in {"cuda", "cpu", "mps"}:
            return one
        if isinstance(one, Known) and name == "_execution_device":
            return Known(one.where, "cuda")
        if isinstance(one, Known) and one.value == "model_cpu_offload":
            return Known(one.where, "cpu")
        return Unknown(one.where, f"the pipeline's {name}")

    return None if placement is None else lift(of, [placement])
