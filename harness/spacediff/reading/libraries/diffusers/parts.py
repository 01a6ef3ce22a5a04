"""Methods of a part of a pipeline, such as its VAE or its transformer."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.placement import offload
from spacediff.reading.libraries.name_clues import CACHING
from spacediff.reading.libraries.torch_types import DTYPES, dtype_of_value
from spacediff.reading.values import (
    Arguments,
    Known,
    Object,
    Value,
    alternatives,
)

VAE_SWITCHES = {"tiling": "tiling", "slicing": "slicing", "vae_tiling": "tiling", "vae_slicing": "slicing"}
"""End of a method such as `enable_vae_tiling` to the setting of the VAE."""
_WITHOUT_EFFECT = frozenset({"eval", "requires_grad_", "fuse_qkv_projections", "train", "cuda", "cpu"})


def call_part_method(state: State, part: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the result of a method of a part, after noting what it changes; None for an unknown one."""
    here = Known(state.where(node), value=True)
    switch, _, what = name.partition("_")
    if what in VAE_SWITCHES and switch in {"enable", "disable"}:
        state.put(part, VAE_SWITCHES[what], Known(here.where, switch == "enable"))
        for key, value in arguments.named.items():
            state.put(part, f"option.{key}", value)
    elif name in {"to", "half"}:
        _note_dtype(state, part, arguments)
    elif note_numerics(state, part, name, arguments, here) or name in _WITHOUT_EFFECT:
        pass
    elif CACHING.search(name):
        state.note("caching", node)
    elif name == "enable_group_offload":
        owner = state.get(part, "__pipeline__")
        if isinstance(owner, Object):
            offload(state, owner, "group_offload", arguments, node)
            state.put(owner, "offload.only", Known(here.where, state.words(node)))
    else:
        return None
    return part


def _note_dtype(state: State, part: Object, arguments: Arguments) -> None:
    for value in arguments.every():
        kind = dtype_of_value(value)
        if isinstance(kind, Known) and kind.value in DTYPES.values():
            state.put(part, "own.dtype", kind)


def note_numerics(state: State, target: Object, name: str, arguments: Arguments, here: Known) -> bool:
    """Note a method that a pipeline and its parts share and that changes numbers; return whether it is one."""
    if name == "enable_xformers_memory_efficient_attention":
        state.put(target, "numerics.attention", Known(here.where, "xformers"))
    elif name == "set_attention_backend":
        state.put(target, "numerics.attention", arguments.get("backend", 0) or here)
    elif name in {"compile", "compile_repeated_blocks"}:
        state.put(target, "numerics.compile", arguments.get("mode") or here)
    elif name == "enable_layerwise_casting":
        state.put(target, "numerics.storage_dtype", dtype_of_value(arguments.get("storage_dtype", 0) or here))
    else:
        return False
    return True


def objects_of(value: Value | None) -> list[Object]:
    """Return the objects among the alternatives of a value."""
    return [option for option in alternatives(value) if isinstance(option, Object)]
