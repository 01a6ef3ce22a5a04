"""Other files of the same source, followed when they are first imported."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.records import Frame
from spacediff.reading.interpreter.state import State
from spacediff.reading.parsing import Source
from spacediff.reading.values import (
    Known,
    Module,
)

_NEVER_FOLLOWED = frozenset({"diffusers", "torch", "transformers", "gradio", "numpy", "accelerate", "huggingface_hub"})


def module(state: State, dotted: str, node: ast.AST, level: int = 0) -> Module | None:
    """Return another file of this source, which is followed when it is first imported; None for a library."""
    if dotted.split(".", maxsplit=1)[0] in _NEVER_FOLLOWED and not level:
        return None
    source = state.files.module(dotted)
    if source is None and level and "/" in state.frame.source.name:
        folder = state.frame.source.name.rsplit("/", 1)[0].replace("/", ".")
        source = state.files.module(f"{folder}.{dotted}")
    if source is None:
        return None
    if source.name not in state.modules:
        state.modules[source.name] = state.heap.new({"__name__": Known(state.where(node), dotted)})
        state.sources.append(source)
        follow_file(state, source, state.modules[source.name])
    return Module(state.where(node), state.modules[source.name])


def follow_file(state: State, source: Source, cell: int) -> None:
    """Follow a file from its first line."""
    state.frames.append(Frame(source, (cell,)))
    try:
        state.run(source.tree.body)
    finally:
        state.frames.pop()
