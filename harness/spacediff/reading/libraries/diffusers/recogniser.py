"""diffusers: pipelines, their parts and schedulers, from loading to the call."""

from __future__ import annotations

import ast

from spacediff.reading.installed import is_model
from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers import own_classes, unseen
from spacediff.reading.libraries.diffusers.additions import change_additions_by_own_method
from spacediff.reading.libraries.diffusers.clip_length import length_of_clip
from spacediff.reading.libraries.diffusers.loading import LOADS, assemble_pipeline, load, load_part
from spacediff.reading.libraries.diffusers.names import (
    CALL_ONLY,
    SCHEDULER,
)
from spacediff.reading.libraries.diffusers.parts import call_part_method
from spacediff.reading.libraries.diffusers.pipeline_classes import of_library
from spacediff.reading.libraries.diffusers.pipelines import call_pipeline_method
from spacediff.reading.libraries.diffusers.placement import device_of
from spacediff.reading.libraries.diffusers.schedulers import (
    call_scheduler_method,
    load_scheduler,
    new_scheduler,
    of_class_of,
    set_config,
    set_scheduler_attribute,
)
from spacediff.reading.model import IgnoredArgument
from spacediff.reading.values import (
    Arguments,
    Attribute,
    Class,
    External,
    Function,
    Object,
    Partial,
    Unknown,
    Value,
    alternatives,
    last_part,
)
from spacediff.reading.values.inputs import json_of

_SHARE_PARTS = frozenset({"diffusers", "transformers"})
"""Packages whose models only take over the parts that they are given when they are loaded."""


class Diffusers(Library):
    """Knows what can be loaded, what its methods change, and which settings a call uses."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:  # noqa: PLR0911 - one way out for each kind
        """Return a pipeline, a scheduler or a part; `from_pretrained` of any other class loads a part."""
        owner, _, method = function.name.rpartition(".")
        kind = of_library(function.name)
        if method in LOADS:
            return _loaded(state, owner, method, arguments, node)
        if SCHEDULER.search(function.name):
            return new_scheduler(state, function.name, arguments, node)
        if kind is not None:
            return assemble_pipeline(state, kind, arguments, node)
        if function.package in {"diffusers", function.name} and is_model(function.last_name):
            return load_part(state, function.last_name, Arguments([], {}), node)
        first = arguments.get("", 0)
        if function.name == "type" and isinstance(first, Object) and first.kind == "scheduler":
            return Attribute(state.where(node), first, "__class__")
        if function.name == "len" and isinstance(first, Unknown) and first.clip is not None:
            return length_of_clip(state, first, state.where(node))
        if function.last_name == "apply_group_offloading" and isinstance(first, Object):
            call_part_method(
                state, first, "enable_group_offload", Arguments(arguments.positional[1:], arguments.named), node
            )
            return state.unknown(node)
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:  # noqa: PLR0911 - one way out for each kind
        """Return the result of a method of a pipeline, a part or a scheduler, or an instance of an own class."""
        if isinstance(owner, Class):
            return own_classes.created(state, owner, name, arguments, node)
        if isinstance(owner, Attribute):
            return of_class_of(state, owner, name, arguments, node)
        if isinstance(owner, Unknown):
            return unseen.call_held(state, owner, name, arguments, node)
        if not isinstance(owner, Object):
            return None
        if owner.kind == "pipeline":
            return call_pipeline_method(state, owner, name, arguments, node) or unseen.call_unseen_method(
                state, owner, name, arguments, node
            )
        if owner.kind == "scheduler":
            return call_scheduler_method(state, owner, name, arguments, node)
        return call_part_method(state, owner, name, arguments, node) if owner.kind == "part" else None

    def on_function_called(self, state: State, function: Function, arguments: Arguments, node: ast.AST) -> None:
        """Note a method of a pipeline of the source that loads or weighs an adapter."""
        change_additions_by_own_method(state, function, arguments, node)

    def after_method(
        self, state: State, owner: Object, function: Function, arguments: Arguments, node: ast.AST
    ) -> Value | None:
        """Return the result of a method of the source that does itself what a pipeline's call does."""
        return own_classes.called_by_method(state, owner, function, arguments, node)

    def attribute(self, state: State, owner: Value, name: str, node: ast.AST) -> Value | None:
        """Return the device of a pipeline, or an attribute of one that an unknown function returned."""
        if isinstance(owner, Unknown):
            held = unseen.held_pipeline(state, owner, name, node)
            return state.attribute(held, name, node) if held is not None else None
        if not isinstance(owner, Object) or owner.kind != "pipeline" or name not in {"device", "_execution_device"}:
            return None
        return device_of(state, owner, name, node) or Attribute(state.where(node), owner, name)

    def set_attribute(self, state: State, owner: Value, name: str, value: Value, node: ast.AST) -> bool:
        """Note an attribute of a scheduler's config, and one of a pipeline that only its call would use."""
        if isinstance(owner, Attribute):
            return _set_in_config(state, owner, name, value)
        if isinstance(owner, Object) and owner.kind == "scheduler":
            return set_scheduler_attribute(state, owner, name, value, node)
        if isinstance(owner, Unknown):
            owner = unseen.held_pipeline(state, owner, name, node) or owner
        if not isinstance(owner, Object) or owner.kind != "pipeline":
            return False
        if name in CALL_ONLY:
            advice = f"the library never reads it; pass it to the call: pipe(..., {name}=...)"
            state.ignore(
                IgnoredArgument(name, json_of(value), "an attribute of the pipeline", state.where(node), advice)
            )
        elif isinstance(value, Function | Partial) and not name.startswith("callback"):
            state.note("patched part", node, state.words(state.frame.statement or node))
        state.put(owner, name, value)
        return True

    def set_item(self, state: State, owner: Value, key: Value | None, node: ast.AST) -> bool:
        """Note an item of a scheduler's config or of an object's `__dict__`."""
        return isinstance(owner, Attribute) and set_config(state, owner, key, node)


def _set_in_config(state: State, owner: Attribute, name: str, value: Value) -> bool:
    target = owner.owner
    if owner.name != "config" or not isinstance(target, Object) or target.kind != "scheduler":
        return False
    state.put(target, f"config.{name}", value)
    return True


def _is_of_pipeline(value: Value) -> bool:
    """Return whether a value is a pipeline or a part of one."""
    return any(isinstance(one, Object) and one.kind in {"pipeline", "part"} for one in alternatives(value))


def _loaded(state: State, owner: str, method: str, arguments: Arguments, node: ast.AST) -> Value:
    kind = of_library(owner)
    if kind is not None:
        return load(state, kind, method, arguments, node)
    if SCHEDULER.search(owner):
        return load_scheduler(state, owner, method, arguments, node)
    package = owner.partition(".")[0]
    if package not in _SHARE_PARTS and any(_is_of_pipeline(value) for value in arguments.every()):
        state.note("patched part", node)
    return load_part(state, last_part(owner), arguments, node, of_file=method == "from_single_file")
