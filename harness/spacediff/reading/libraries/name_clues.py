"""Clues in names: a call whose name says that it changes the frames becomes a note."""

from __future__ import annotations

import ast
import re

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    External,
    Function,
    Object,
    Value,
    alternatives,
    last_part,
    results_of,
)

UPSCALING = re.compile(r"esrgan|upscal|upsampl|super_?res|superres|realsr|swinir", re.IGNORECASE)

INTERPOLATION = re.compile(r"\brife|rife_|_rife|frame_?interp|interpolate_(frames|video)|film_net", re.IGNORECASE)

CACHING = re.compile(r"teacache|cache_?dit|apply_cache|enable_cache|first_?block_?cache|deepcache|pyramid_?attention",
                     re.IGNORECASE)  # fmt: skip

_LOADING = re.compile(r"^_?(load|init|get|create|build|make|download|setup|import|[A-Z])|from_pretrained$")
_BESIDE = frozenset({"append", "extend", "to", "cuda", "cpu", "half", "float", "eval", "load_state_dict", "parameters",
                     "load_model", "items", "keys", "get", "mkdir", "print", "info", "exists"})  # fmt: skip
"""Methods of what upscales or interpolates, or of a list of its frames, that change no frames."""


def is_clue(name: str) -> bool:
    """Return whether a name alone says what a call does, so that it has a note of its own."""
    return any(pattern.search(name) for pattern in (UPSCALING, INTERPOLATION, CACHING))


class NameClues(Library):
    """Notes calls by their names; it never answers, so that others may recognise the call."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> None:
        """Note a function of a library."""
        _note_clues(state, function.name, arguments, node)

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> None:
        """Note a method; a call of an object is noted by the name of the method that is followed."""
        if name != "__call__":
            _note_clues(state, name, arguments, node)

    def on_function_called(self, state: State, function: Function, arguments: Arguments, node: ast.AST) -> None:
        """Note a function of the source."""
        _note_clues(state, function.name, arguments, node)


def _is_layer(state: State) -> bool:
    """Return whether a layer of a network is being followed, whose upsampling changes no frames."""
    return any(frame.function is not None and frame.function.name == "forward" for frame in state.frames)


def _note_clues(state: State, name: str, arguments: Arguments, node: ast.AST) -> None:
    """Note what the name of a call, or the text of what is called, says about it."""
    if _is_layer(state):
        return
    words = f"{name} {state.words(node.func) if isinstance(node, ast.Call) else ''}"
    if INTERPOLATION.search(words) and _is_applied(state, INTERPOLATION, name, arguments):
        state.note("frame interpolation", node)
    elif UPSCALING.search(words) and _is_applied(state, UPSCALING, name, arguments):
        state.note("upscaling", node)
    elif CACHING.search(last_part(name)) or (CACHING.search(words) and _has_model(arguments)):
        state.note("caching", node)


def _has_model(arguments: Arguments) -> bool:
    """Return whether a call is given a pipeline or a part; other functions of a package for caching only prepare it."""
    each = (option for value in arguments.every() for option in alternatives(value))
    return any(isinstance(one, Object) and one.kind in {"pipeline", "part"} for one in each)


def _is_applied(state: State, clue: re.Pattern[str], name: str, arguments: Arguments) -> bool:
    """Return whether a call changes frames: it does not load what will, and is no part of such a change."""
    short = last_part(name)
    if short in _BESIDE or _is_inside(state, clue):
        return False
    return bool(results_of(arguments)) or not _LOADING.search(short)


def _is_inside(state: State, clue: re.Pattern[str]) -> bool:
    return any(frame.function is not None and clue.search(frame.function.name) for frame in state.frames)
