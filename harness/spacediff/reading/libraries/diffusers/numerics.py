"""Methods that a pipeline and its parts share, and that change how numbers are computed."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.attention_backends import backend_as_set
from spacediff.reading.libraries.compiling import METHODS, put_compiled
from spacediff.reading.libraries.torch_types import dtype_of_value
from spacediff.reading.values import (
    Absent,
    Arguments,
    Class,
    External,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    last_part,
    lift,
)

_CONSTRUCTED = re.compile(r"([\w.]*\b[A-Z]\w*)\(.*\)$")
"""An instance of a class of a library, as the source writes it."""
_LONGEST = 200
"""Characters of such an instance; the time for the pattern grows with the square of it."""
_DEFAULT_SLICES = "auto"
"""Default of diffusers for the size of a slice."""


def note_numerics(state: State, target: Object, name: str, arguments: Arguments, node: ast.AST) -> bool:
    """Note a method that changes numbers as a setting under `numerics`; return whether it is one."""
    here = Known(state.where(node), value=True)
    if name in METHODS:
        put_compiled(state, target, name, arguments, node)
        return True
    if name in _SWITCHED_OFF:
        state.put(target, _SWITCHED_OFF[name], Absent(here.where))
        return True
    switch = _SWITCHED_ON.get(name)
    if switch is None:
        return False
    path, value_of = switch
    value = value_of(arguments, here)
    made = state.get(value, "__class__") if isinstance(value, Object) else None
    state.put(target, path, Known(value.where, made.name) if isinstance(made, Class) else value)
    return True


def _attention_slices(arguments: Arguments, here: Known) -> Value:
    return arguments.get("slice_size", 0) or Known(here.where, _DEFAULT_SLICES)


def _processor(arguments: Arguments, here: Known) -> Value:
    """Return the class of an attention processor."""

    def named(one: Value) -> Value:
        if isinstance(one, External):
            return Known(one.where, one.last_name)
        is_short = isinstance(one, Unknown) and len(one.text) <= _LONGEST
        made = _CONSTRUCTED.match(one.text) if isinstance(one, Unknown) and is_short else None
        return Known(one.where, last_part(made[1])) if made else one

    return lift(named, [arguments.get("processor", 0) or here])


def _options(arguments: Arguments, here: Known) -> Value:
    """Return all arguments as a dict."""
    if arguments.positional or arguments.open:
        return Unknown(here.where, "the options of the method")
    return Table(here.where, tuple(arguments.named.items())) if arguments.named else here


def _always(value: str) -> Callable[[Arguments, Known], Value]:
    return lambda _, here: Known(here.where, value)


_SWITCHED_ON: dict[str, tuple[str, Callable[[Arguments, Known], Value]]] = {
    "enable_attention_slicing": ("numerics.attention_slicing", _attention_slices),
    "enable_forward_chunking": (
        "numerics.forward_chunking",
        lambda arguments, here: arguments.get("chunk_size", 0) or here,
    ),
    "enable_freeu": ("numerics.freeu", _options),
    "enable_layerwise_casting": (
        "numerics.storage_dtype",
        lambda arguments, here: dtype_of_value(arguments.get("storage_dtype", 0) or here),
    ),
    "enable_xformers_memory_efficient_attention": ("numerics.attention", _always("xformers")),
    "enable_npu_flash_attention": ("numerics.attention", _always("npu_flash")),
    "fuse_qkv_projections": ("numerics.fused_qkv", lambda _, here: here),
    "set_attention_backend": (
        "numerics.attention",
        lambda arguments, here: backend_as_set(arguments.get("backend", 0) or here),
    ),
    "set_attn_processor": ("numerics.attention", _processor),
    "set_default_attn_processor": ("numerics.attention", _always("default processor")),
    "set_use_memory_efficient_attention_xformers": (
        "numerics.attention",
        lambda arguments, here: _if_on(arguments.get("valid", 0), here),
    ),
}
"""Method to the setting that it switches on, and what computes its value."""

_SWITCHED_OFF = {
    "disable_attention_slicing": "numerics.attention_slicing",
    "disable_forward_chunking": "numerics.forward_chunking",
    "disable_freeu": "numerics.freeu",
    "disable_xformers_memory_efficient_attention": "numerics.attention",
    "reset_attention_backend": "numerics.attention",
    "unfuse_qkv_projections": "numerics.fused_qkv",
}
"""Method to the setting that it takes back."""


def _if_on(switch: Value | None, here: Known) -> Value:
    return Absent(here.where) if switch == Known(here.where, value=False) else Known(here.where, "xformers")
