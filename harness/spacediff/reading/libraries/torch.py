"""torch's functions and switches that change numbers: kernels, precision, threads, compilation."""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.attention_backends import backend_as_set
from spacediff.reading.libraries.compiling import put_compiled
from spacediff.reading.libraries.torch_types import DTYPES, device_of_value, dtype_of_value
from spacediff.reading.values import (
    Arguments,
    External,
    Function,
    Items,
    Known,
    Object,
    Value,
    alternatives,
    lift,
)

_KERNELS = {"MATH": "math", "FLASH_ATTENTION": "flash", "EFFICIENT_ATTENTION": "efficient", "CUDNN_ATTENTION": "cudnn"}
_TF32_BY_PRECISION = {"highest": False, "high": True}
_BACKEND_SWITCHES = {
    "torch.backends.cuda.matmul.allow_tf32": "numerics.tf32_matmul",
    "torch.backends.cudnn.allow_tf32": "numerics.tf32_cudnn",
    "torch.backends.cudnn.deterministic": "numerics.deterministic",
    "torch.backends.cudnn.benchmark": "numerics.cudnn_benchmark",
    "torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction": "numerics.fp16_reduction",
    "torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction": "numerics.bf16_reduction",
}


class Torch(Library):
    """Notes torch's switches as settings under `numerics`."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a device, a compiled model, or note a switch."""
        if function.name in {"torch.device", "device"}:
            first, index = arguments.get("type", 0) or arguments.get("device"), arguments.get("index", 1)
            return lift(device_of_value, [first, *([index] if index else [])]) if first is not None else None
        if function.last_name == "autocast":
            return _autocast(state, arguments, node)
        if function.name == "torch.compile":
            return _compiled(state, arguments, node)
        return _switched(state, function, arguments, node)

    def decorate(self, state: State, function: Function, decorator: External, node: ast.expr) -> Function | None:
        """Follow a function that is decorated with `torch.autocast(...)` inside it."""
        if decorator.last_name != "autocast" or not isinstance(node, ast.Call):
            return None
        return replace(function, inside=(*function.inside, node))

    def set_attribute(self, state: State, owner: Value, name: str, value: Value, node: ast.AST) -> bool:
        """Note a switch such as `torch.backends.cuda.matmul.allow_tf32 = True`."""
        path = _BACKEND_SWITCHES.get(f"{owner.name}.{name}") if isinstance(owner, External) else None
        if path is not None:
            state.heap.put(state.process_wide, path, value)
        return path is not None


def _autocast(state: State, arguments: Arguments, node: ast.AST) -> Value:
    """Note the dtype of `torch.autocast`, which holds inside its block; without one it is that of the device."""
    enabled = arguments.get("enabled", 2)
    if isinstance(enabled, Known) and not enabled.value:
        return state.unknown(node)
    positional = [dtype_of_value(one, texts=False) for one in arguments.positional]
    given = next((one for one in positional if isinstance(one, Known) and one.value in DTYPES.values()), None)
    dtype = arguments.named.get("dtype", given)
    device = arguments.get("device_type", 0)
    default = "bfloat16" if isinstance(device, Known) and device.value == "cpu" else "float16"
    value = dtype_of_value(dtype) if dtype is not None else Known(state.where(node), default)
    state.heap.put(state.process_wide, "numerics.autocast", value)
    return state.unknown(node)


def _compiled(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    model = arguments.get("model", 0)
    models = [option for option in alternatives(model) if isinstance(option, Object)]
    for each in models:
        put_compiled(state, each, "torch.compile", arguments, node)
    if not models:
        state.note("compile", node)
    return model


def _switched(state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
    name = function.name
    first = arguments.get("", 0)
    here = Known(state.where(node), value=True)
    if name == "torch.set_float32_matmul_precision" and isinstance(first, Known):
        switched = _TF32_BY_PRECISION.get(str(first.value))  # "medium" computes in bfloat16: no switch does that
        value = Known(first.where, switched) if switched is not None else state.unknown(node)
        state.heap.put(state.process_wide, "numerics.tf32_matmul", value)
    elif name == "torch.set_default_dtype" and first is not None:
        state.heap.put(state.process_wide, "numerics.default_dtype", dtype_of_value(first))
    elif name == "torch.use_deterministic_algorithms":
        state.heap.put(state.process_wide, "numerics.deterministic", first or here)
    elif name == "torch.set_num_threads" and first is not None:
        state.heap.put(state.process_wide, "numerics.threads", first)
    elif function.last_name == "sdpa_kernel":
        state.heap.put(state.process_wide, "numerics.attention", _kernel(first))
    elif function.last_name == "attention_backend":  # of diffusers
        state.heap.put(state.process_wide, "numerics.attention", backend_as_set(first or here))
    elif name.startswith("torch.backends.cuda.enable_"):
        state.note("attention", node)
    else:
        return None
    return state.unknown(node)


def _kernel(value: Value | None) -> Value:
    if isinstance(value, Items) and value.items:
        value = value.items[0]
    if isinstance(value, External):
        return Known(value.where, _KERNELS.get(value.last_name, value.last_name))
    return value if value is not None else Known("", None)
