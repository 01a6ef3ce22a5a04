"""What functions that are not read do with a pipeline: one returns it, another one is bound to it as a method.

The key insight is that the next use decides. What is used as a pipeline, with its methods or the arguments of its call,
is taken for the pipeline that the function was given, and a note says what may have changed it.
"""

from __future__ import annotations

import ast
import re

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.calls import call_pipeline
from spacediff.reading.libraries.diffusers.names import CALL_ONLY, GENERATES, USUAL_PARTS
from spacediff.reading.values import Absent, Arguments, Asked, Known, Object, Unknown, Value

_OF_PIPELINES = re.compile(
    r"to|cuda|(enable|disable|load|unload|fuse|unfuse)_\w+|set_(adapters|progress_bar_config)|components|scheduler|"
    + "|".join(USUAL_PARTS)
)
"""Attributes by which a value is seen to be a pipeline."""
NO_CALL = re.compile(r"_|(encode|prepare|check|decode|get|set|load|enable|disable|save|from|to)(_|$)")
"""Methods that are given arguments of a call and do not generate."""
_OF_ANOTHER_KIND = re.compile(r"(?![^(]*[Pp]ipe)[\w.]*\b[A-Z]\w*\(")
"""The constructor of a class that is no pipeline by its name, such as an encoder of prompts that is given one."""
_FEWEST_ARGUMENTS = 2
_MADE = re.compile(r"(?:\w+\.)*([A-Z]\w*)\(")
"""The beginning of a text that creates an instance of a class."""


def held_pipeline(state: State, value: Unknown, name: str, node: ast.AST) -> Object | None:
    """Return the pipeline that an unknown function was given and returned, if an attribute shows that it is one."""
    if value.holds is not None and _OF_PIPELINES.fullmatch(name) is not None:
        _note_once(state, node, value.text)
        return value.holds
    return None


def call_held(state: State, value: Unknown, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the result of a method of an unknown value if that is used as a pipeline."""
    if name != "__call__":
        if value.holds is not None and name in GENERATES and _has_several(arguments):
            return call_pipeline(state, _wrapped(state, value, value.holds), arguments, node)
        pipeline = held_pipeline(state, value, name, node)
        return state.libraries.call_method(state, pipeline, name, arguments, node) if pipeline is not None else None
    only_text = len(arguments.positional) == 1 and isinstance(arguments.positional[0], Known | Asked)
    only_text = only_text and not _OF_ANOTHER_KIND.match(value.text)
    if value.holds is None or not (only_text or arguments.named.keys() & CALL_ONLY):
        return None
    _note_once(state, node, value.text)
    return call_pipeline(state, value.holds, arguments, node)


def _wrapped(state: State, value: Unknown, pipeline: Object) -> Object:
    """Return a pipeline as an object of another package has it, whose method takes other arguments than its call."""
    made = _MADE.match(value.text)
    fields = {**state.heap.cell(pipeline.cell), "signature": Known(value.where, ""), "__class__": Absent(value.where)}
    if made is not None:
        fields["model.pipeline"] = Known(value.where, made[1])
    return Object(value.where, "pipeline", state.heap.new(fields))


def call_unseen_method(state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the result of a method that no recogniser knows and that is given what a pipeline's call is given."""
    if NO_CALL.match(name) or not takes_settings(arguments):
        return None
    _note_once(state, node, f"{name} is called instead of the pipeline, and is not read")
    return call_pipeline(state, pipeline, arguments, node)


def takes_settings(arguments: Arguments) -> bool:
    """Return whether arguments are those of a pipeline's call."""
    return "prompt" in arguments.named or _has_several(arguments)


def _has_several(arguments: Arguments) -> bool:
    """Return whether several arguments are those of a pipeline's call; a tool for prompts takes only the prompt."""
    return len(arguments.named.keys() & CALL_ONLY) >= _FEWEST_ARGUMENTS


def _note_once(state: State, node: ast.AST, text: str) -> None:
    if all(note.text != text for note in state.notes):
        state.note("patched part", node, text)
