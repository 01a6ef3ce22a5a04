"""What diffusers' objects do when a source calls them: checkpoints, schedulers, generators, and torch's switches."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries import generators as noise
from spacediff.reading.libraries import torch as switches
from spacediff.reading.libraries.diffusers import names, pipelines
from spacediff.reading.libraries.diffusers.pipelines import call_pipeline
from spacediff.reading.model import IgnoredArgument
from spacediff.reading.values.kinds import Absent, Arguments, Attribute, Either, External, Known, Object, Table, Value

__all__ = ["call_library", "call_method", "call_pipeline", "set_attribute"]


def call_library(state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return what a call of diffusers or torch gives; None for any other library."""
    owner, _, method = function.name.rpartition(".")
    if method in {"from_pretrained", "from_single_file", "from_config", "from_pipe"}:
        return _loaded(state, owner, method, arguments, node)
    if names.SCHEDULER.search(function.name):
        return _scheduler(state, function.name, arguments, node)
    if names.PIPELINE.search(function.name) and names.last(function.name)[0].isupper():
        return pipelines.assembled(state, names.last(function.name), arguments, node)
    if names.QUANTISATION.search(function.name):
        return _quantisation(state, function.name, arguments, node)
    return switches.call_library(state, function, arguments, node)


def call_method(state: State, owner: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return what a method of a pipeline, a part, a scheduler or a generator gives; None for other objects."""
    if owner.kind == "pipeline":
        return pipelines.call_method(state, owner, name, arguments, node)
    if owner.kind == "generator":
        return _of_generator(state, owner, name, arguments, node)
    if owner.kind == "scheduler":
        return _of_scheduler(state, owner, name, arguments, node)
    if owner.kind == "part":
        return pipelines.call_part(state, owner, name, arguments, node)
    return None


def set_attribute(state: State, owner: Value, name: str, value: Value, node: ast.AST) -> None:
    """Let an attribute of an object, a config or a library be set."""
    if isinstance(owner, External):
        switches.set_switch(state, f"{owner.name}.{name}", value)
    elif isinstance(owner, Attribute):
        if owner.name == "config" and isinstance(owner.owner, Object) and owner.owner.kind == "scheduler":
            state.put(owner.owner, f"config.{name}", value)
    elif isinstance(owner, Object):
        if owner.kind == "pipeline" and name in names.CALL_ONLY:
            advice = f"the library never looks at it: give it to the call, pipe(..., {name}=...)"
            state.ignore(
                IgnoredArgument(name, pipelines.plain(value), "an attribute of the pipeline", state.where(node), advice)
            )
        state.put(owner, name, value)


def set_config(state: State, owner: Attribute, key: Value | None, node: ast.AST) -> None:
    """Note an item set in an object's `config` or `__dict__`: the library refuses the one, or does as it pleases."""
    target = owner.owner
    if not isinstance(target, Object):
        return
    if owner.name == "__dict__" and isinstance(key, Known):
        state.put(target, str(key.value), state.unknown(node))
    elif owner.name == "config" and target.kind == "scheduler":
        named = key.value if isinstance(key, Known) else "*"
        state.put(target, f"config.{named}", state.unknown(node))


def _loaded(state: State, owner: str, method: str, arguments: Arguments, node: ast.AST) -> Value | None:
    name = names.last(owner)
    if names.PIPELINE.search(owner) and name[:1].isupper():
        if method == "from_pipe":
            source = arguments.get("pipeline", 0)
            arguments = Arguments([], {**arguments.named, **({"__pipeline__": source} if source else {})})
            return pipelines.assembled(state, name, arguments, node)
        return pipelines.loaded(state, name, method, arguments, node)
    if names.SCHEDULER.search(owner):
        if method == "from_config":
            return _from_config(state, owner, arguments, node)
        made = _scheduler(state, owner, Arguments([], {}), node)
        _override(state, made, arguments, node, names.NOT_SETTINGS | {"subfolder", "revision", "torch_dtype"})
        state.put(made, "base", arguments.get("pretrained_model_name_or_path", 0) or state.unknown(node))
        return made
    return _part(state, name, arguments, node)


def _part(state: State, name: str, arguments: Arguments, node: ast.AST) -> Object:
    """Return a part of a checkpoint that is loaded by itself."""
    held: dict[str, Value] = {"class": Known(state.where(node), name)}
    identifier = arguments.get("pretrained_model_name_or_path", 0) or arguments.get("pretrained_model_link_or_path")
    if identifier is not None:
        held["id"] = identifier
    for key, path in {"subfolder": "subfolder", "torch_dtype": "dtype", "dtype": "dtype", "revision": "revision",
                      "variant": "variant", "quantization_config": "quantization_config",
                      "load_in_8bit": "load_in_8bit"}.items():  # fmt: skip
        if key in arguments.named:
            held[path] = pipelines.dtype(arguments.named[key]) if path == "dtype" else arguments.named[key]
    if not isinstance(arguments.named.get("quantization_config", Table("", ())), Table):
        state.note("quantisation", node)
    return Object(state.where(node), "part", state.heap.new({f"own.{key}": value for key, value in held.items()}))


def _scheduler(state: State, name: str, arguments: Arguments, node: ast.AST) -> Object:
    where = state.where(node)
    held = {"class": Known(where, names.last(name)), "base": Known(where, "")}
    made = Object(where, "scheduler", state.heap.new(dict(held)))
    _override(state, made, arguments, node)
    return made


def _override(
    state: State, made: Object, arguments: Arguments, node: ast.AST, without: frozenset[str] = frozenset()
) -> None:
    for key, value in arguments.named.items():
        if key in names.CALL_ONLY - {"timesteps"}:
            advice = f"it belongs to the pipeline's call: pipe(..., {key}=...)"
            given_to = f"{pipelines.plain(state.get(made, 'class'))}.from_config"
            state.ignore(IgnoredArgument(key, pipelines.plain(value), given_to, value.where, advice))
        elif key not in without:
            state.put(made, f"config.{key}", value)
    if arguments.open:
        state.put(made, "config.*", state.unknown(node))


def _from_config(state: State, name: str, arguments: Arguments, node: ast.AST) -> Object:
    made = _scheduler(state, name, Arguments([], {}), node)
    base = arguments.get("config", 0)
    options = base.options if isinstance(base, Either) else (base,)
    for option in options:
        if isinstance(option, Attribute) and isinstance(option.owner, Object):
            held = state.heap.cell(option.owner.cell)
            for key in [key for key in held if key.startswith("config.")]:
                state.put(made, key, held[key])
            state.put(made, "base", held.get("base") or Absent(option.where))
        elif isinstance(option, Table):
            for key, value in option.named.items():
                state.put(made, f"config.{key}", value)
        else:
            state.put(made, "base", state.unknown(node))
    named = {key: value for key, value in arguments.named.items() if key != "config"}
    _override(state, made, Arguments([], named, arguments.open), node)
    return made


def _of_scheduler(state: State, owner: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    first = arguments.get("shift", 0)
    if name in {"set_shift", "set_timesteps"} and name == "set_shift" and first is not None:
        state.put(owner, "config.shift", first)
    elif name == "register_to_config":
        _override(state, owner, arguments, node)
    elif name in {"to", "copy"}:
        return owner
    else:
        return None
    return state.unknown(node)


def _quantisation(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    state.note("quantisation", node)
    items = {"class": Known(state.where(node), names.last(name)), **arguments.named}
    for position, value in enumerate(arguments.positional):
        items[f"argument {position + 1}"] = value
    return Table(
        state.where(node),
        tuple((key, pipelines.dtype(value, texts=False)) for key, value in items.items()),
        bool(arguments.open),
    )


def _of_generator(state: State, owner: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    if name == "manual_seed":
        seed = arguments.get("seed", 0)
        noise.seeded(state, owner, seed if seed is not None else state.unknown(node))
        return owner
    if name == "seed":
        noise.seeded(state, owner, state.unknown(node))
        return state.unknown(node)
    return None
