"""Methods of a pipeline: what calls it, moves it, switches something on, or loads an adapter."""

from __future__ import annotations

import ast

from spacediff.reading.installed import method
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.adapters import change_adapters
from spacediff.reading.libraries.diffusers.additions import change_additions
from spacediff.reading.libraries.diffusers.calls import call_pipeline
from spacediff.reading.libraries.diffusers.loading import register_modules
from spacediff.reading.libraries.diffusers.numerics import note_numerics
from spacediff.reading.libraries.diffusers.parts import VAE_SWITCHES, objects_of
from spacediff.reading.libraries.diffusers.placement import MOVES, OFFLOAD_METHODS, move, offload
from spacediff.reading.libraries.name_clues import CACHING
from spacediff.reading.model import NoteKind
from spacediff.reading.values import (
    Arguments,
    Known,
    Object,
    Value,
)
from spacediff.reading.values.inputs import json_of

_WITHOUT_EFFECT = frozenset({
    "set_progress_bar_config", "maybe_free_model_hooks", "remove_all_hooks", "set_lora_device", "get_list_adapters",
    "get_active_adapters", "reset_device_map",
})  # fmt: skip


def call_pipeline_method(
    state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST
) -> Value | None:
    """Return the result of a method of a pipeline, after noting what it changes; None for an unknown one."""
    if name == "__call__":
        return call_pipeline(state, pipeline, arguments, node)
    if name == "update_components":
        for key, value in arguments.named.items():
            state.put(pipeline, key, value)
        return Known(state.where(node), None)
    if name == "register_modules":
        register_modules(state, pipeline, arguments)
        return Known(state.where(node), None)
    changes = (_move, _switch_vae, change_adapters, change_additions, note_numerics)
    if name in _WITHOUT_EFFECT or any(change(state, pipeline, name, arguments, node) for change in changes):
        return pipeline
    kind = _kind_of_change(name)
    if kind is None:
        return None
    state.note(kind, node)
    return pipeline


def _kind_of_change(name: str) -> NoteKind | None:
    """Return the kind of the note for a method that is known only by its name; None if it may change nothing."""
    if CACHING.search(name):
        return "caching"
    if "lora" in name or "adapter" in name:
        return "LoRA"
    return "pipeline" if name.startswith(("enable_", "load_", "fuse_", "set_")) else None


def _move(state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST) -> bool:
    if name in MOVES:
        move(state, pipeline, name, arguments, node)
    elif name in OFFLOAD_METHODS:
        offload(state, pipeline, OFFLOAD_METHODS[name], arguments, node)
    return name in MOVES or name in OFFLOAD_METHODS


def _part_name(name: str) -> str:
    """Return the method of a VAE that does what one of the pipeline does: `enable_vae_tiling`, `enable_tiling`."""
    return f"{name.replace('_vae_', '_')}()"


def _switch_vae(state: State, pipeline: Object, name: str, _: Arguments, node: ast.AST) -> bool:
    switch, _underscore, what = name.partition("_")
    if what not in VAE_SWITCHES or switch not in {"enable", "disable"}:
        return False
    made = json_of(state.get(pipeline, "signature"))
    if isinstance(made, str) and method(made, "__call__") is not None and method(made, name) is None:
        text = (
            f"{made} of the installed diffusers has no {name}, so this line would fail; use pipe.vae.{_part_name(name)}"
        )
        state.note("refused argument", node, text)
    for part in objects_of(state.get(pipeline, "vae")):
        state.put(part, VAE_SWITCHES[what], Known(state.where(node), switch == "enable"))
    return True
