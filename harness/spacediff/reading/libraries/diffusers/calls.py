"""A call of a pipeline: the settings of everything it uses at that moment, as dotted paths."""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.reading.interpreter.records import PipelineCall
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.adapters import ADAPTERS, adapter_paths, scale_of_call
from spacediff.reading.libraries.diffusers.names import (
    GENERIC_PIPELINE,
    SCHEDULER_BASE,
)
from spacediff.reading.libraries.diffusers.part_settings import part_paths
from spacediff.reading.libraries.diffusers.paths import Paths, each_path
from spacediff.reading.libraries.diffusers.pipeline_classes import CallSignature, signature_of
from spacediff.reading.libraries.generators import generator_of, noise_of
from spacediff.reading.libraries.name_clues import UPSCALING
from spacediff.reading.libraries.picture_steps import steps_in
from spacediff.reading.model import IgnoredArgument
from spacediff.reading.signatures import dropped
from spacediff.reading.values import (
    Absent,
    Arguments,
    Asked,
    Class,
    Function,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    alternatives,
    results_of,
)
from spacediff.reading.values.inputs import json_of


def call_pipeline(
    state: State, pipeline: Object, arguments: Arguments, node: ast.AST, function: Function | None = None
) -> Value:
    """Write down a call with all settings in force; return its result, which is known to come from this call.

    Args:
        state: What follows the source.
        pipeline: The pipeline.
        arguments: The arguments of the call.
        node: The call.
        function: The function of the source that is called; None for `__call__`.
    """
    fields = state.heap.cell(pipeline.cell)
    signature = signature_of(state, pipeline, function)
    where = state.where(node)
    scaled = scale_of_call(arguments.named)
    if scaled is not None and dropped(signature.of, "__call__", scaled[0]) is not None:
        scaled = None
    paths = {
        **_process_wide(state),
        **_own_paths(state, fields, where, scaled[1] if scaled is not None else None),
        **_call_paths(state, signature, arguments, node),
    }
    if scaled is not None and any(path.startswith("lora.") for path in paths):
        _leave_scale_to_adapters(paths, f"call.{scaled[0]}")
    paths |= _noise(state, signature, arguments, paths, node)
    inputs = results_of(arguments)
    if UPSCALING.search(signature.name):
        state.note("upscaling", node)
    number = len(state.calls)
    state.calls.append(
        PipelineCall(
            number,
            signature.name,
            paths,
            state.where(node),
            tuple(state.conditions),
            inputs,
            state.entry,
            signature.of,
            signature.defaults,
        )
    )
    return Unknown(state.where(node), state.words(node), (number, *inputs))


def _noise(
    state: State, signature: CallSignature, arguments: Arguments, paths: dict[str, Value], node: ast.AST
) -> dict[str, Value]:
    """Return where the noise of a call comes from; a pipeline that is not diffusers' may have an argument for the seed.

    Args:
        state: What follows the source.
        signature: The arguments that the pipeline has.
        arguments: The arguments of the call.
        paths: The same by path.
        node: The call.
    """
    generator = arguments.named.get("generator")
    if generator is None and arguments.open:
        unknown = Unknown(state.where(node), f"**{arguments.open}")
        return {"rng.device": unknown, "rng.seed": unknown}
    is_given = generator is not None and not (isinstance(generator, Known) and generator.value is None)
    generator = generator_of(state, paths.get("call.latents")) or generator
    is_global = "seed" in state.heap.cell(state.process_wide) and "call.seed" not in paths
    if is_given or signature.of or is_global:
        return noise_of(state, generator, node)
    where = state.where(node)
    unknown = Unknown(where, f"drawn by {signature.name} itself")
    seed = paths.get("call.seed") or signature.defaults.get("seed")
    is_drawn = isinstance(seed, Known) and (seed.value is None or seed.value == -1)
    return {"rng.device": unknown, "rng.seed": replace(unknown, random=True) if is_drawn else seed or unknown}


def _process_wide(state: State) -> dict[str, Value]:
    fields = state.heap.cell(state.process_wide)
    return {path: value for path, value in fields.items() if path.startswith("numerics.") and not _is_off(value)}


def _is_off(value: Value) -> bool:
    return isinstance(value, Absent)


def _leave_scale_to_adapters(paths: dict[str, Value], path: str) -> None:
    """Leave out a scale of the call that is part of the adapters' own scale."""
    given = paths.get(path)
    if isinstance(given, Table):
        rest = tuple(item for item in given.items if item[0] != "scale")
        paths[path] = replace(given, items=rest)
        if not rest and not given.open:
            del paths[path]


def _own_paths(state: State, fields: dict[str, Value], called: str, scale: Value | None) -> dict[str, Value]:
    """Return the paths of a pipeline, of its scheduler and of its parts."""
    paths = {path: value for path, value in fields.items() if _is_path(path) and not _is_off(value)}
    where = next((value.where for value in fields.values()), called)
    of_scheduler = {"class": "scheduler.class", "config.": "scheduler.", "base": SCHEDULER_BASE}
    of_vae = {"tiling": "vae.tiling", "slicing": "vae.slicing", "option.": "vae."}
    paths |= adapter_paths(fields.get(ADAPTERS), where, scale)
    paths |= each_path(
        fields.get("scheduler"), lambda one: _found_in(state, one, of_scheduler) or _other_scheduler(state, one), where
    )
    paths |= each_path(fields.get("vae"), lambda one: _found_in(state, one, of_vae), where)
    return paths | part_paths(state, fields, where)


def _is_path(name: str) -> bool:
    return "." in name or name == "placement"


def _found_in(state: State, value: Value, wanted: dict[str, str]) -> Paths | None:
    """Return the paths of an object: those that `wanted` names by the beginning of the key; None for no object."""
    if not isinstance(value, Object):
        return None
    found: Paths = {}
    for key, stored in state.heap.cell(value.cell).items():
        for start, path in wanted.items():
            if key == start:
                found[path] = stored
            elif start.endswith(".") and key.startswith(start):
                found[path + key.removeprefix(start)] = stored
    return found


def _other_scheduler(state: State, value: Value) -> Paths | None:
    """Return the class of what a pipeline has for its scheduler without being known as one."""
    if isinstance(value, Unknown):
        return {"scheduler.class": value}
    fields = state.heap.cell(value.cell) if isinstance(value, Object) else {}
    made = fields.get("__class__")
    named = Known(value.where, made.name) if isinstance(made, Class) else fields.get("own.class")
    return {"scheduler.class": named} if named is not None else {}


def _call_paths(state: State, signature: CallSignature, arguments: Arguments, node: ast.AST) -> dict[str, Value]:
    """Return the arguments of a call by path, without those that the installed pipeline drops."""
    known = signature.positions
    paths: dict[str, Value] = {}
    for position, value in enumerate(arguments.positional):
        is_prompt = position == 0 and not known and _is_prompt(signature.name, value)
        key = "prompt" if is_prompt else known[position] if position < len(known) else f"argument_{position + 1}"
        paths[f"call.{key}"] = value
    for key, value in arguments.named.items():
        reason = dropped(signature.of, "__call__", key)
        if reason is not None:
            state.ignore(IgnoredArgument(key, json_of(value), f"{signature.name}.__call__", state.where(node), reason))
        elif key not in {"generator", "__pipeline__"}:
            paths[f"call.{key}"] = value
    pictures = {path: value for path, value in paths.items() if "mask" not in path}  # which a scenario makes grey first
    for path, value in pictures.items():
        steps = each_path(value, steps_in, state.where(node))
        paths |= {f"inputs.{path.removeprefix('call.')}.{key}": one for key, one in steps.items()}
    if arguments.open:
        paths["call.*"] = Unknown(state.where(node), f"**{arguments.open}")
    return paths


def _is_prompt(name: str, value: Value) -> bool:
    """Return whether the first argument of a class without a known signature is a prompt."""
    if GENERIC_PIPELINE.search(name):
        return True
    one = alternatives(value)[0]
    if isinstance(one, Asked):
        return "prompt" in one.source.label.lower() or one.source.kind == "Textbox"
    return isinstance(one, Known) and isinstance(one.value, str) and " " in one.value
