"""Changes from outside: functions of other packages that are given a pipeline or a part, and replaced functions.

The key insight is that such a line says nothing of what it does, but it stands by itself: `boost(pipe.transformer)` can
only be there for its effect on what it is given. A function whose result is used may just read it.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.attention_backends import backend_as_set
from spacediff.reading.libraries.name_clues import CACHING, is_clue
from spacediff.reading.model import NoteKind
from spacediff.reading.values import (
    Arguments,
    Attribute,
    Class,
    External,
    Function,
    Known,
    Object,
    Partial,
    Unknown,
    Value,
    alternatives,
    part_around,
)
from spacediff.reading.values.inputs import shown

_PATCHED = "patched by:"
"""Beginning of the names under which modules that patch something are kept."""
_HARMLESS_PACKAGES = frozenset({
    "accelerate", "atexit", "builtins", "dir", "gc", "gr", "gradio", "hasattr", "id", "isinstance", "len", "logger",
    "logging", "os", "pprint", "print", "queue", "spaces", "st", "streamlit", "sys", "torch", "torchinfo", "type",
    "vars", "wandb", "weakref",
})  # fmt: skip
_HARMLESS_METHODS = re.compile(
    r"^(_*(get|save|encode|decode|print|check|push|named|log|debug|info|warn|error|free)(_\w*)?|append|put|add|extend|insert"
    r"|__\w+__|register|setdefault|update|parameters|modules|state_dict|register_to_config|eval|train|submit|start)$"
)
_LIBRARIES = frozenset({"torch", "diffusers", "transformers", "F", "nn", "xformers"})
"""Packages whose functions and classes a pipeline uses."""
_OF_FORWARD = frozenset({"forward", "_forward", "__call__", "processor", "call"})
"""Attributes of a module that are functions which it computes with."""
_COMPILED = frozenset({"spaces.aoti_apply", "spaces.aoti_load", "spaces.aoti_blocks_load"})
_INSIDE = re.compile(r"(named_)?(parameters|modules|children|buffers)|get_(submodule|parameter|buffer)|items|values")
"""Methods that return what is inside of a part."""
_GO_THROUGH = frozenset({"enumerate", "list", "tuple", "zip", "reversed", "sorted", "iter", "tqdm", "dict"})
"""Functions whose result has the items of what they are given."""
_IN_PLACE = re.compile(r"(?!requires_grad_$)[a-z]\w*[^_\W]_|register_(full_)?(forward|backward)_(pre_)?hook")
"""Methods that change a weight or a layer."""
_IMPORTS = re.compile(r"\s*(from|import)\s+diffusers\b")
"""A line that imports diffusers."""
_OF_TRAINING = frozenset({"requires_grad", "grad", "training"})
"""Attributes of weights and layers that matter only for training."""


class Patches(Library):
    """Notes what changes a pipeline from outside; it comes last, when no library knows the call."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Note a function that is given a pipeline or a part; the result takes its place if the source says so."""
        if function.name in _COMPILED:
            state.note("compile", node)
            return None
        around = part_around(arguments.get("tensor", 0))
        if function.last_name in _GO_THROUGH and around is not None:
            return replace(state.unknown(node, *arguments.every()), inside_of=around)
        if ".init." in f".{function.name}" and around is not None:
            state.note("patched part", node)
            return None
        package = function.name.rpartition(".")[0] or function.name
        given = _part_in(arguments)
        if given is None:
            if _is_statement(state, node) and f"{_PATCHED}{package}" in state.heap.cell(state.process_wide):
                state.note("patched part", node)
            return None
        if function.package in _HARMLESS_PACKAGES or not (_is_statement(state, node) or _replaces(state, node)):
            return None
        if not is_clue(function.name):
            state.note("patched part", node)
            state.heap.put(state.process_wide, f"{_PATCHED}{package}", given)
        return given if isinstance(given, Object) and _replaces(state, node) else None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Note an unknown method of a part, or one of something unknown that is given a part."""
        around = part_around(owner)
        if around is not None and _INSIDE.fullmatch(name):
            return replace(state.unknown(node, owner), inside_of=around)
        configures = around is not None and around.kind == "part" and name == "register_to_config"
        if configures or (around is not None and _IN_PLACE.fullmatch(name)):
            state.note("patched part", node)
            return None
        if _HARMLESS_METHODS.search(name) or is_clue(name) or not _is_statement(state, node):
            return None
        of_part = _part_under(owner) is not None
        if of_part or (isinstance(owner, Unknown) and _part_in(arguments) is not None):
            state.note("patched part", node)
        return None

    def set_attribute(self, state: State, owner: Value, name: str, value: Value, node: ast.AST) -> bool:
        """Note a replaced function or class of a library, and an attribute that is set inside a part."""
        statement = state.frame.statement or node
        if isinstance(owner, External):
            is_private = owner.name.startswith(("torch._", "torch.backends"))
            is_function = isinstance(value, Function | Class | Partial | External | Unknown | Attribute)
            if name in _OF_FORWARD or (owner.package in _LIBRARIES and is_function and not is_private):
                _note_replaced(state, statement)
        elif name in _OF_TRAINING:
            return False
        elif part_around(owner) is not None or (isinstance(owner, Unknown) and name in _OF_FORWARD):
            _note_replaced(state, statement)
        return False

    def on_deleted(self, state: State, owner: Value, node: ast.AST) -> None:
        """Note a layer or a function that is taken away from a part."""
        around = part_around(owner)
        if around is not None and (around.kind == "part" or not isinstance(owner, Object)):
            state.note("patched part", node)

    def set_item(self, state: State, owner: Value, key: Value | None, node: ast.AST) -> bool:
        """Note a layer or a weight that is set by its place, and the variable that chooses the attention."""
        if isinstance(owner, External) and owner.name == "os.environ" and key is not None:
            if shown(key) == "DIFFUSERS_ATTN_BACKEND":
                _choose_attention(state, state.frame.statement or node)
            return False
        if isinstance(owner, Attribute | Unknown) and part_around(owner) is not None:
            _note_replaced(state, state.frame.statement or node)
        return False


def _choose_attention(state: State, statement: ast.AST) -> None:
    """Set the backend that a variable names before diffusers is imported, which reads it once; note any other."""
    value = statement.value if isinstance(statement, ast.Assign) else None
    before = state.frame.source.lines[: getattr(statement, "lineno", 1) - 1]
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and not any(map(_IMPORTS.match, before)):
        backend = backend_as_set(Known(state.where(statement), value.value))
        state.heap.put(state.process_wide, "numerics.attention", backend)
    else:
        _note_replaced(state, statement, "attention")


def _note_replaced(state: State, statement: ast.AST, kind: NoteKind | None = None) -> None:
    words = state.words(statement)
    by_name: NoteKind = "attention" if "attention" in words.lower() else "patched part"
    state.note(kind or ("caching" if CACHING.search(words) else by_name), statement, words)


def _is_statement(state: State, node: ast.AST) -> bool:
    """Return whether a call stands by itself, so that its result is not used."""
    statement = state.frame.statement
    return isinstance(statement, ast.Expr) and statement.value is node


def _replaces(state: State, node: ast.AST) -> bool:
    """Return whether the result of a call takes the place of one of its arguments: `pipe = with_weights(pipe)`."""
    statement = state.frame.statement
    if not isinstance(statement, ast.Assign) or statement.value is not node or not isinstance(node, ast.Call):
        return False
    targets = {ast.dump(target).replace("Store()", "Load()") for target in statement.targets}
    return any(ast.dump(given) in targets for given in (*node.args, *(one.value for one in node.keywords)))


def _part_in(arguments: Arguments) -> Value | None:
    """Return the first pipeline or part among the arguments of a call."""
    return next((found for value in arguments.every() if (found := _part_under(value)) is not None), None)


def _part_under(value: Value) -> Object | None:
    """Return the pipeline or part that a value is, or is an attribute of."""
    found = part_around(value)
    return None if any(isinstance(one, Unknown) for one in alternatives(value)) else found
