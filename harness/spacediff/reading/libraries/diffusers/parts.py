"""Methods of a part of a pipeline, such as its VAE or its transformer."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.caches import change_cache
from spacediff.reading.libraries.checkpoints import located
from spacediff.reading.libraries.diffusers.adapters import change_adapters
from spacediff.reading.libraries.diffusers.numerics import note_numerics
from spacediff.reading.libraries.diffusers.placement import convert_part, offload
from spacediff.reading.libraries.name_clues import CACHING
from spacediff.reading.libraries.torch_types import DTYPES, dtype_of_value
from spacediff.reading.values import (
    Arguments,
    External,
    Known,
    Object,
    Value,
    alternatives,
)

VAE_SWITCHES = {"tiling": "tiling", "slicing": "slicing", "vae_tiling": "tiling", "vae_slicing": "slicing"}
"""End of a method such as `enable_vae_tiling` to the setting of the VAE."""
_WITHOUT_EFFECT = frozenset({"eval", "requires_grad_", "train", "cuda", "cpu", "state_dict", "tie_weights"})
_CASTS = {"half": "float16", "bfloat16": "bfloat16", "float": "float32"}
"""Method of torch to the dtype that it casts to."""


def call_part_method(state: State, part: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the result of a method of a part, after noting what it changes; None for an unknown one."""
    changes = (_switch, _cast, _replace_weights, _change_adapters, note_numerics, change_cache, _offload)
    if name in _WITHOUT_EFFECT or any(change(state, part, name, arguments, node) for change in changes):
        return part
    if CACHING.search(name):
        state.note("caching", node)
        return part
    return None


def _switch(state: State, part: Object, name: str, arguments: Arguments, node: ast.AST) -> bool:
    switch, _, what = name.partition("_")
    if what not in VAE_SWITCHES or switch not in {"enable", "disable"}:
        return False
    state.put(part, VAE_SWITCHES[what], Known(state.where(node), switch == "enable"))
    for key, value in arguments.named.items():
        state.put(part, f"option.{key}", value)
    return True


def _cast(state: State, part: Object, name: str, arguments: Arguments, node: ast.AST) -> bool:
    if name in _CASTS:
        convert_part(state, part, Known(state.where(node), _CASTS[name]))
        return True
    for value in arguments.every() if name == "to" else ():
        kind = dtype_of_value(value)
        first = alternatives(kind)[0]
        if isinstance(first, Known) and first.value in DTYPES.values():
            convert_part(state, part, kind)
        elif isinstance(first, External) and first.last_name == "channels_last":
            state.put(part, "numerics.memory_format", Known(first.where, first.last_name))
    return name == "to"


def _replace_weights(state: State, part: Object, name: str, arguments: Arguments, node: ast.AST) -> bool:
    if name == "load_state_dict":
        replace_weights(state, part, arguments.get("state_dict", 0), node)
    return name == "load_state_dict"


def replace_weights(state: State, part: Object, source: Value | None, node: ast.AST) -> None:
    """Keep which file the weights of a part come from, whatever it was loaded from."""
    state.note("weights replaced", node)
    state.put(part, "own.weights", located(state, source).whole if source is not None else state.unknown(node))


def _change_adapters(state: State, part: Object, name: str, arguments: Arguments, node: ast.AST) -> bool:
    """Follow a method for adapters; those of a part are the pipeline's."""
    owner = state.get(part, "__pipeline__")
    if isinstance(owner, Object) and change_adapters(state, owner, name, arguments, node):
        return True
    if "lora" in name or "adapter" in name:
        state.note("LoRA", node)
        return True
    return False


def _offload(state: State, part: Object, name: str, arguments: Arguments, node: ast.AST) -> bool:
    if name != "enable_group_offload":
        return False
    owner = state.get(part, "__pipeline__")
    if isinstance(owner, Object):
        offload(state, owner, "group_offload", arguments, node)
        state.put(owner, "offload.only", Known(state.where(node), state.words(node)))
    else:
        state.put(part, "offload", Known(state.where(node), "group_offload"))
    return True


def objects_of(value: Value | None) -> list[Object]:
    """Return the objects among the alternatives of a value."""
    return [option for option in alternatives(value) if isinstance(option, Object)]
