"""Other files of the same source, followed when they are first imported."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.records import Frame
from spacediff.reading.interpreter.state import State
from spacediff.reading.parsing import Source
from spacediff.reading.values import (
    Known,
    Module,
    Value,
)

_NEVER_FOLLOWED = frozenset({"diffusers", "torch", "transformers", "gradio", "numpy", "accelerate", "huggingface_hub"})

_MOST_FOLDERS = 8
"""Folders in which modules are looked for."""


def module(state: State, dotted: str, node: ast.AST, level: int = 0) -> Module | None:
    """Return another file of this source, which is followed when it is first imported; None for a library."""
    if dotted.split(".", maxsplit=1)[0] in _NEVER_FOLLOWED and not level:
        return None
    source = next((found for name in _candidates(state, dotted, level) if (found := state.files.module(name))), None)
    if source is None:
        return None
    if source.name not in state.modules:
        state.modules[source.name] = state.heap.new(names_of_file(source, dotted, state.where(node)))
        state.sources.append(source)
        follow_file(state, source, state.modules[source.name])
    return Module(state.where(node), state.modules[source.name])


def names_of_file(source: Source, name: str, where: str) -> dict[str, Value]:
    """Return the names that a file has before its first line; its path is that from the folder of the main file."""
    return {"__name__": Known(where, name), "__file__": Known(where, source.name)}


def _candidates(state: State, dotted: str, level: int) -> list[str]:
    """Return where a module may be, from the folder of the main file, in the order in which Python looks."""
    folders = state.frame.source.name.split("/")[:-1]
    if level:
        above = len(folders) - (level - 1)
        inside = [".".join(filter(None, [*folders[:above], dotted]))] if above >= 0 else []
        return [*inside, dotted]  # the main file is often started from a folder above it
    return [dotted, *(f"{folder}.{dotted}" for folder in state.import_folders)]


def import_from_folder(state: State, folder: str) -> None:
    """Look for modules in another folder too, as after `sys.path.append(folder)`."""
    parts = [part for part in folder.replace("\\", "/").split("/") if part not in {"", "."}]
    if len(state.import_folders) < _MOST_FOLDERS and parts and all(part.isidentifier() for part in parts):
        state.import_folders.append(".".join(parts))


def follow_file(state: State, source: Source, cell: int) -> None:
    """Follow a file from its first line."""
    state.frames.append(Frame(source, (cell,)))
    try:
        state.run(source.tree.body)
    finally:
        state.frames.pop()
