"""Methods of a pipeline: what calls it, moves it, switches something on, or loads a LoRA."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.calls import call_pipeline
from spacediff.reading.libraries.diffusers.loading import register_modules
from spacediff.reading.libraries.diffusers.parts import VAE_SWITCHES, note_numerics, objects_of
from spacediff.reading.libraries.diffusers.placement import MOVES, OFFLOAD_METHODS, move, offload
from spacediff.reading.libraries.name_clues import CACHING
from spacediff.reading.values import (
    Absent,
    Arguments,
    Either,
    Items,
    Known,
    Object,
    Value,
)

_WITHOUT_EFFECT = frozenset({
    "set_progress_bar_config", "maybe_free_model_hooks", "enable_attention_slicing", "remove_all_hooks",
})  # fmt: skip


def call_pipeline_method(
    state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST
) -> Value | None:
    """Return the result of a method of a pipeline, after noting what it changes; None for an unknown one."""
    if name == "__call__":
        return call_pipeline(state, pipeline, arguments, node)
    if name == "register_modules":
        register_modules(state, pipeline, arguments)
        return Known(state.where(node), None)
    here = Known(state.where(node), value=True)
    switch, _, what = name.partition("_")
    if name in MOVES:
        move(state, pipeline, name, arguments, node)
    elif name in OFFLOAD_METHODS:
        offload(state, pipeline, OFFLOAD_METHODS[name], arguments, node)
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
