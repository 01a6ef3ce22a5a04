"""A pipeline as the source builds it up: what it was loaded from, what was switched on, and what it is called with."""

from __future__ import annotations

import ast
from typing import Any

from spacediff.reading.interpreter.state import PipelineCall, State
from spacediff.reading.libraries.diffusers import names
from spacediff.reading.libraries.generators import noise_of
from spacediff.reading.model import IgnoredArgument
from spacediff.reading.values import constants as folding
from spacediff.reading.values.kinds import (
    Absent,
    Arguments,
    Either,
    External,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    either,
    lift,
    results_in,
)

_OFFLOADS = {
    "enable_model_cpu_offload": "model_cpu_offload",
    "enable_sequential_cpu_offload": "sequential_cpu_offload",
    "enable_group_offload": "group_offload",
}
_VAE = {"tiling": "tiling", "slicing": "slicing", "vae_tiling": "tiling", "vae_slicing": "slicing"}


def dtype(value: Value, *, texts: bool = True) -> Value:
    """Return a dtype by its short name; `texts`: also one that is written as a text."""

    def named(one: Value) -> Value:
        if isinstance(one, External):
            short = names.DTYPES.get(names.last(one.name))
            return Known(one.where, short) if short and "." in one.name else one
        if texts and isinstance(one, Known) and isinstance(one.value, str):
            return Known(one.where, names.DTYPES.get(names.last(one.value), one.value))
        if isinstance(one, Table):
            return Table(one.where, tuple((key, named(item)) for key, item in one.items), one.open)
        return one

    return lift(named, [value])


def plain(value: Value | None) -> Any:
    """Return a value as JSON: a constant, or a library's name for it."""
    return folding.json_of(value)


def loaded(state: State, name: str, method: str, arguments: Arguments, node: ast.AST) -> Object:
    """Return the pipeline of `from_pretrained` or `from_single_file`."""
    pipeline = _new(state, name, node)
    identifier = arguments.get("pretrained_model_name_or_path", 0) or arguments.get("pretrained_model_link_or_path")
    state.put(pipeline, "model.id", identifier if identifier is not None else state.unknown(node))
    if method == "from_single_file":
        state.note("checkpoint", node, "the weights come from a single file")
    for key, value in arguments.named.items():
        _argument(state, pipeline, f"{name}.{method}", (key, value), node)
    if arguments.open:
        state.put(pipeline, "load.*", state.unknown(node))
    return pipeline


def assembled(state: State, name: str, arguments: Arguments, node: ast.AST) -> Object:
    """Return a pipeline put together from the parts of others."""
    pipeline = _new(state, name, node)
    whole = arguments.named.get("__pipeline__")
    owners = [state.get(part, "__pipeline__") for part in arguments.every() if isinstance(part, Object)]
    for source in [whole, *owners]:
        first = source.options[0] if isinstance(source, Either) else source
        if isinstance(first, Object) and first.kind == "pipeline":
            for key, value in state.heap.cell(first.cell).items():
                state.put(pipeline, key, value)
            state.put(pipeline, "model.pipeline", Known(state.where(node), name))
            break
    for key, value in arguments.named.items():
        if key == "__pipeline__":
            continue
        if key in names.PARTS:
            state.put(pipeline, key, value)
            _take_identity(state, pipeline, value)
        else:
            _argument(state, pipeline, f"{name}.from_pipe", (key, value), node)
    return pipeline


def _take_identity(state: State, pipeline: Object, part: Value) -> None:
    """Know the checkpoint of a pipeline that is built by hand from a part that was loaded."""
    if isinstance(part, Object) and state.get(pipeline, "model.id") is None:
        identifier = state.get(part, "own.id")
        if identifier is not None:
            state.put(pipeline, "model.id", identifier)


def _new(state: State, name: str, node: ast.AST) -> Object:
    where = state.where(node)
    pipeline = Object(where, "pipeline", state.heap.new({"model.pipeline": Known(where, name)}))
    for part in names.PARTS:
        state.put(pipeline, part, Object(where, "part", state.heap.new({"__pipeline__": pipeline})))
    state.put(pipeline, "scheduler", Object(where, "scheduler", state.heap.new({"__pipeline__": pipeline})))
    return pipeline


def _argument(state: State, pipeline: Object, given_to: str, argument: tuple[str, Value], node: ast.AST) -> None:
    key, value = argument
    if key in names.MODEL_ARGUMENTS:
        state.put(pipeline, names.MODEL_ARGUMENTS[key], dtype(value) if "dtype" in key else value)
    elif key in names.PARTS and isinstance(value, Object | Either):
        state.put(pipeline, key, value)
    elif key in names.CALL_ONLY:
        advice = f"the library drops it here: give it to the call, pipe(..., {key}=...)"
        state.ignore(IgnoredArgument(key, plain(value), given_to, value.where or state.where(node), advice))
    elif key not in names.NOT_SETTINGS:
        state.put(pipeline, f"load.{key}", dtype(value, texts=False))
        if key == "device_map" and isinstance(value, Known) and value.value in {"cuda", "cpu"}:
            state.put(pipeline, "placement", value)
        if key == "quantization_config" and not isinstance(value, Table):
            state.note("quantisation", node)


def call_method(state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:  # noqa: PLR0911 - one way out for each kind
    """Return what a pipeline's method gives, after what it changes."""
    here = Known(state.where(node), value=True)
    if name == "__call__":
        return call_pipeline(state, pipeline, arguments, node)
    if name in {"to", "cuda", "half", "cpu"}:
        _move(state, pipeline, name, arguments, node)
        return pipeline
    if name in _OFFLOADS:
        state.put(pipeline, "placement", Known(here.where, _OFFLOADS[name]))
        return pipeline
    switch, _, what = name.partition("_")
    if what in _VAE and switch in {"enable", "disable"}:
        for part in _objects(state.get(pipeline, "vae")):
            state.put(part, _VAE[what], Known(here.where, switch == "enable"))
        return pipeline
    if "lora" in name or name == "set_adapters":
        _lora(state, pipeline, name, arguments, node)
        return pipeline
    if _numerics(state, pipeline, name, arguments, here):
        return pipeline
    if name in {"set_progress_bar_config", "maybe_free_model_hooks", "enable_attention_slicing", "remove_all_hooks"}:
        return pipeline
    if name.startswith(("enable_", "load_", "fuse_", "set_")) or names.CACHING.search(name):
        state.note("caching" if names.CACHING.search(name) else "pipeline", node)
        return pipeline
    return None


def _move(state: State, target: Object, name: str, arguments: Arguments, node: ast.AST) -> None:
    if name in {"cuda", "cpu"}:
        state.put(target, "placement", Known(state.where(node), name))
    if name == "half":
        state.put(target, "model.dtype", Known(state.where(node), "float16"))
    for value in arguments.every() if name == "to" else ():
        kind = dtype(value)
        first = kind.options[0] if isinstance(kind, Either) else kind
        if isinstance(first, Known) and first.value in names.DTYPES.values():
            state.put(target, "model.dtype", kind)
        elif not (isinstance(first, External) and "_format" in first.name):
            state.put(target, "placement", lift(device, [value]))


def device(value: Value) -> Value:
    """Return a device without its number."""
    if isinstance(value, Known) and isinstance(value.value, str):
        return Known(value.where, value.value.partition(":")[0])
    if isinstance(value, Known) and isinstance(value.value, int):
        return Known(value.where, "cuda")
    return value


def _lora(state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST) -> None:
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
            held = [key for key in state.heap.cell(pipeline.cell) if key.startswith("lora.")]
            found |= {key: Absent(state.where(node)) for key in held}
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


def _numerics(state: State, target: Object, name: str, arguments: Arguments, here: Known) -> bool:
    if name == "enable_xformers_memory_efficient_attention":
        state.put(target, "numerics.attention", Known(here.where, "xformers"))
    elif name == "set_attention_backend":
        state.put(target, "numerics.attention", arguments.get("backend", 0) or here)
    elif name in {"compile", "compile_repeated_blocks"}:
        state.put(target, "numerics.compile", arguments.get("mode") or here)
    elif name == "enable_layerwise_casting":
        state.put(target, "numerics.storage_dtype", dtype(arguments.get("storage_dtype", 0) or here))
    else:
        return False
    return True


def call_part(state: State, part: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:  # noqa: C901, PLR0911 - one way out for each kind
    """Return what a method of a pipeline's part gives, after what it changes."""
    here = Known(state.where(node), value=True)
    switch, _, what = name.partition("_")
    if what in _VAE and switch in {"enable", "disable"}:
        state.put(part, _VAE[what], Known(here.where, switch == "enable"))
        for key, value in arguments.named.items():
            state.put(part, f"option.{key}", value)
        return part
    if name in {"to", "half"}:
        for value in arguments.every():
            kind = dtype(value)
            if isinstance(kind, Known) and kind.value in names.DTYPES.values():
                state.put(part, "own.dtype", kind)
        return part
    if _numerics(state, part, name, arguments, here):
        return part
    if name in {"eval", "requires_grad_", "fuse_qkv_projections", "train", "cuda", "cpu"}:
        return part
    if names.CACHING.search(name):
        state.note("caching", node)
        return part
    if name == "enable_group_offload":
        owner = state.get(part, "__pipeline__")
        if isinstance(owner, Object):
            state.put(owner, "placement", Known(here.where, "group_offload"))
        return part
    return None


def call_pipeline(state: State, pipeline: Object, arguments: Arguments, node: ast.AST) -> Value:
    """Write a call down with everything that holds at this moment; return what stands for its result."""
    held = state.heap.cell(pipeline.cell)
    name = plain(held.get("model.pipeline")) or "Pipeline"
    paths = {**_everywhere(state), **_own(state, held), **_arguments(state, str(name), arguments, node)}
    generator = arguments.named.get("generator")
    paths |= noise_of(state, generator, node)
    inputs = [result for value in arguments.every() for result in results_in(value)]
    if names.UPSCALING.search(str(name)):
        state.note("upscaling", node)
    number = len(state.calls)
    state.calls.append(
        PipelineCall(number, str(name), paths, state.where(node), state.usual, tuple(dict.fromkeys(inputs)))
    )
    return Unknown(state.where(node), state.words(node), (number, *dict.fromkeys(inputs)))


def _everywhere(state: State) -> dict[str, Value]:
    held = state.heap.cell(state.everywhere)
    return {path: value for path, value in held.items() if path.startswith("numerics.")}


def _own(state: State, held: dict[str, Value]) -> dict[str, Value]:
    """Return a pipeline's paths, with those of its scheduler and its parts."""
    paths = {path: value for path, value in held.items() if _is_path(path) and not isinstance(value, Absent)}
    where = next(iter(held.values())).where
    of_scheduler = {"class": "scheduler.class", "config.": "scheduler.", "base": names.SCHEDULER_BASE}
    paths |= _across(state, held.get("scheduler"), where, of_scheduler)
    paths |= _across(
        state, held.get("vae"), where, {"tiling": "vae.tiling", "slicing": "vae.slicing", "option.": "vae."}
    )
    for part in names.PARTS:
        each = _objects(held.get(part))
        for one in each:
            cell = state.heap.cell(one.cell)
            paths |= {path: value for path, value in cell.items() if path.startswith("numerics.")}
            own = {key.removeprefix("own."): value for key, value in cell.items() if key.startswith("own.")}
            other = _lender(state, one, held)
            if other is not None and part not in names.NOT_LOADED_PARTS:
                paths[f"load.{part}"] = Table(one.where, (("id", other),))
            if own and part not in names.NOT_LOADED_PARTS:
                if "quantization_config" in own:
                    paths["load.quantization_config"] = own.pop("quantization_config")
                paths[f"load.{part}"] = Table(one.where, tuple(own.items()))
    return paths


def _lender(state: State, part: Object, held: dict[str, Value]) -> Value | None:
    """Return the checkpoint that a part was borrowed from, where it is another one."""
    owner = state.get(part, "__pipeline__")
    if not isinstance(owner, Object):
        return None
    theirs, mine = state.get(owner, "model.id"), held.get("model.id")
    return theirs if isinstance(theirs, Known) and isinstance(mine, Known) and theirs.value != mine.value else None


def device_of(state: State, pipeline: Object, name: str) -> Value | None:
    """Return a pipeline's `device`, which follows from where it was put."""
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


def _is_path(name: str) -> bool:
    return "." in name or name == "placement"


def _across(state: State, value: Value | None, where: str, wanted: dict[str, str]) -> dict[str, Value]:
    """Return the paths of an object, or of each that it may be, joined."""
    each: list[dict[str, Value]] = []
    options = value.options if isinstance(value, Either) else (value,)
    for option in options:
        if isinstance(option, Object):
            found: dict[str, Value] = {}
            for key, held in state.heap.cell(option.cell).items():
                for start, path in wanted.items():
                    if key == start:
                        found[path] = held
                    elif start.endswith(".") and key.startswith(start):
                        found[path + key.removeprefix(start)] = held
            each.append(found)
    decided = isinstance(value, Either) and value.decided
    return {
        path: either([found.get(path) or Absent(where) for found in each], where, decided=decided)
        for path in dict.fromkeys(path for found in each for path in found)
    }


def _objects(value: Value | None) -> list[Object]:
    options = value.options if isinstance(value, Either) else (value,)
    return [option for option in options if isinstance(option, Object)]


def _arguments(state: State, name: str, arguments: Arguments, node: ast.AST) -> dict[str, Value]:
    positions = names.POSITIONS.get(name, ("prompt",))
    paths: dict[str, Value] = {}
    for position, value in enumerate(arguments.positional):
        key = positions[position] if position < len(positions) else f"argument_{position + 1}"
        paths[f"call.{key}"] = value
    for key, value in arguments.named.items():
        if key not in {"generator", "__pipeline__"}:
            paths[f"call.{key}"] = value
    if arguments.open:
        paths["call.*"] = Unknown(state.where(node), f"**{arguments.open}")
    return paths
