"""What torch's own functions and switches do to a clip: seeds, generators, kernels, compilation, quantisation."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers import names, pipelines
from spacediff.reading.values.kinds import (
    Arguments,
    Either,
    External,
    Items,
    Known,
    Object,
    Unknown,
    Value,
    either,
    lift,
)

_GLOBAL_SEEDS = frozenset({
    "torch.manual_seed", "torch.cuda.manual_seed", "torch.cuda.manual_seed_all", "set_seed", "seed_everything",
    "torch.random.manual_seed",
})  # fmt: skip
_RANDOM = frozenset({"randint", "randrange", "random", "choice", "time", "getrandbits", "urandom", "uuid4", "randbits"})
_KERNELS = {"MATH": "math", "FLASH_ATTENTION": "flash", "EFFICIENT_ATTENTION": "efficient", "CUDNN_ATTENTION": "cudnn"}
_DEFAULT_SEED = 67280421310721
"""The seed of a torch.Generator that nobody seeds."""


def call_library(state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:  # noqa: PLR0911 - one way out for each kind
    """Return what a function of torch gives, after what it changes; None for any other."""
    name = names.last(function.name)
    if function.name == "torch.cuda.is_available":
        return either([Known(state.where(node), value=True), Known(state.where(node), value=False)], state.where(node))
    if name == "Generator" and function.name in {"torch.Generator", "Generator"}:
        return _generator(state, arguments, node)
    if function.name in _GLOBAL_SEEDS or name in {"set_seed", "seed_everything"}:
        return _seeded(state, function.name, arguments, node)
    if function.name in {"torch.device", "device"}:
        first = arguments.get("type", 0) or arguments.get("device")
        return lift(pipelines.device, [first]) if first is not None else None
    if name in _RANDOM and function.name.split(".", 1)[0] in {"random", "np", "numpy", "torch", "secrets", "time", "os",
                                                            "uuid", *_RANDOM}:  # fmt: skip
        return Unknown(state.where(node), state.words(node), random=True)
    if function.name == "torch.compile":
        return _compiled(state, arguments, node)
    if name in {"quantize_", "quantize", "freeze"}:
        return _quantised(state, name, arguments, node)
    return _switched(state, function.name, arguments, node)


def _generator(state: State, arguments: Arguments, node: ast.AST) -> Object:
    where = state.where(node)
    device = arguments.get("device", 0)
    held = {
        "device": lift(_device_of, [device]) if device is not None else Known(where, "cpu"),
        "seed": Known(where, _DEFAULT_SEED),
    }
    return Object(where, "generator", state.heap.new(held))


def _device_of(value: Value) -> Value:
    return pipelines.device(value)


def _seeded(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    seed = arguments.get("seed", 0) or state.unknown(node)
    if name != "torch.cuda.manual_seed" or "seed" not in state.heap.cell(state.everywhere):
        state.heap.put(state.everywhere, "seed", seed)
    if name != "torch.manual_seed":
        return state.unknown(node)
    # torch.manual_seed returns the CPU's own generator, which people hand on
    return Object(
        state.where(node), "generator", state.heap.new({"device": Known(state.where(node), "cpu"), "seed": seed})
    )


def _compiled(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    model = arguments.get("model", 0)
    state.note("compile", node)
    mode = arguments.get("mode") or Known(state.where(node), value=True)
    for option in model.options if isinstance(model, Either) else (model,):
        if isinstance(option, Object):
            state.put(option, "numerics.compile", mode)
    return model


def _quantised(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    model = arguments.get("model", 0)
    if not isinstance(model, Object) or model.kind != "part":
        return None
    state.note("quantisation", node)
    how = arguments.get("weights", 1) or arguments.get("config")
    if name != "freeze" and how is not None:
        text = pipelines.plain(how) or (how.text if isinstance(how, Unknown) else None)
        value = Known(how.where, str(text)) if text else how
        state.put(model, "own.quantization_config", value)
    return model


def _switched(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    first = arguments.get("", 0)
    here = Known(state.where(node), value=True)
    if name == "torch.set_float32_matmul_precision" and isinstance(first, Known):
        state.heap.put(state.everywhere, "numerics.tf32", Known(first.where, first.value != "highest"))
    elif name == "torch.use_deterministic_algorithms":
        state.heap.put(state.everywhere, "numerics.deterministic", first or here)
    elif name == "torch.set_num_threads" and first is not None:
        state.heap.put(state.everywhere, "numerics.threads", first)
    elif names.last(name) in {"sdpa_kernel", "attention_backend"}:
        state.heap.put(state.everywhere, "numerics.attention", _kernel(first))
    elif name.startswith("torch.backends.cuda.enable_"):
        state.note("attention", node)
    elif names.last(name) == "apply_group_offloading" and isinstance(first, Object):
        pipelines.call_part(state, first, "enable_group_offload", Arguments([], {}), node)
    else:
        return None
    return state.unknown(node)


def _kernel(value: Value | None) -> Value:
    if isinstance(value, Items) and value.items:
        value = value.items[0]
    if isinstance(value, External):
        short = names.last(value.name)
        return Known(value.where, _KERNELS.get(short, short))
    return value if value is not None else Known("", None)


def set_switch(state: State, name: str, value: Value) -> None:
    """Note an attribute of torch that changes numbers."""
    paths = {"allow_tf32": "numerics.tf32", "deterministic": "numerics.deterministic"}
    short = names.last(name)
    if name.startswith("torch.backends") and short in paths:
        state.heap.put(state.everywhere, paths[short], value)
