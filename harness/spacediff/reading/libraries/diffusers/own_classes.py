"""Pipelines, schedulers and models whose class is defined by the source: they are used by the name of that class."""

from __future__ import annotations

import ast
import re

from spacediff.reading.interpreter.classes import member
from spacediff.reading.interpreter.functions import follow_function
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.calls import call_pipeline
from spacediff.reading.libraries.diffusers.loading import LOADS, assemble_pipeline, load, load_part
from spacediff.reading.libraries.diffusers.names import CALL_ONLY, GENERATES
from spacediff.reading.libraries.diffusers.pipeline_classes import base_of, is_pipeline_by_name, of_source
from spacediff.reading.libraries.diffusers.schedulers import load_scheduler, new_scheduler
from spacediff.reading.libraries.diffusers.unseen import NO_CALL
from spacediff.reading.libraries.generators import forget_draws
from spacediff.reading.values import Arguments, Class, Function, Known, Object, Value

_STEERS = frozenset({
    "num_inference_steps", "num_steps", "sampling_steps", "steps", "guidance_scale", "guide_scale", "cfg_scale",
})  # fmt: skip
"""Arguments of a method by any name that generates, besides the prompt."""
_SCHEDULER_BASE = re.compile(r"(^|\.)\w*Scheduler(Mixin)?$")
"""Classes of libraries from which the schedulers of a source are derived."""
_LONGEST_BODY = 2_000
"""Lines of such a method that may draw noise."""


def created(state: State, made: Class, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return what `from_pretrained` or the constructor of a class creates; None if its base is not of diffusers."""
    if name == "__call__":
        return _constructed(state, made, arguments, node)
    if name not in LOADS:
        return None
    kind, scheduler = of_source(state, made), base_of(made, _SCHEDULER_BASE)
    if kind is not None:
        return load(state, kind, name, arguments, node)
    if scheduler:
        return load_scheduler(state, made.name, name, arguments, node)
    part = load_part(state, made.name, arguments, node)
    state.put(part, "__class__", made)
    return part


def _constructed(state: State, made: Class, arguments: Arguments, node: ast.AST) -> Value | None:
    kind = of_source(state, made)
    if kind is None:
        return new_scheduler(state, made.name, arguments, node) if base_of(made, _SCHEDULER_BASE) else None
    pipeline = assemble_pipeline(state, kind, arguments, node)
    start = state.attribute(pipeline, "__init__", node)
    if isinstance(start, Function):
        follow_function(state, start, arguments, node)
    return pipeline


def called_by_method(
    state: State, owner: Object, function: Function, arguments: Arguments, node: ast.AST
) -> Value | None:
    """Write down a method that does itself what a pipeline's call does: it calls no other pipeline.

    Its arguments are the settings of the call.
    """
    made = state.get(owner, "__class__")
    is_pipeline = owner.kind == "pipeline" or (
        owner.kind == "instance" and isinstance(made, Class) and is_pipeline_by_name(made)
    )
    is_bound_to_it = isinstance(made, Class) and member(state, made, function.name) is None
    generates = function.name in GENERATES or is_bound_to_it or not isinstance(made, Class)
    generates = generates or _is_call_by_another_name(state, owner, function)
    if not is_pipeline or not generates or not _takes_settings(function):
        return None
    if owner.kind == "instance" and isinstance(made, Class):
        state.put(owner, "model.pipeline", Known(owner.where, made.name))
        state.put(owner, "signature", Known(owner.where, ""))
    body = range(function.node.lineno, min(function.node.end_lineno or 0, function.node.lineno + _LONGEST_BODY) + 1)
    forget_draws(state, arguments.every(), function.file, body)  # its body was followed, and that is the call
    return call_pipeline(state, owner, arguments, node, function)


def _is_call_by_another_name(state: State, owner: Object, function: Function) -> bool:
    """Return whether a method takes a prompt and steps or guidance, and is no step of another method of its owner."""
    names = _parameter_names(function)
    bound = [frame.function.given[0][:1] for frame in state.frames if frame.function is not None]
    is_inner = any(isinstance(one, Object) and one.cell == owner.cell for first in bound for one in first)
    return "prompt" in names and bool(names & _STEERS) and not is_inner and not NO_CALL.match(function.name)


def _parameter_names(function: Function) -> set[str]:
    parameters = function.parameters
    return {one.arg for one in (*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs)}


def _takes_settings(function: Function) -> bool:
    names = _parameter_names(function)
    return any("prompt" in name for name in names) or len(names & CALL_ONLY) > 1
