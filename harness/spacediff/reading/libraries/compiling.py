"""How a source compiles a model, as a scenario says it."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Arguments, Known, Object

_PATH = "numerics.compile"
_OPTIONS = ("mode", "fullgraph", "dynamic", "backend")
"""Arguments of `torch.compile` that a scenario has."""
_REGIONAL = "compile_repeated_blocks"
METHODS = ("compile", _REGIONAL)
"""Methods of a model that compile it."""


def put_compiled(state: State, part: Object, name: str, arguments: Arguments, node: ast.AST) -> None:
    """Note that a model is compiled: with the options that the source gives, or with the defaults.

    Args:
        state: The interpreter.
        part: The model.
        name: The function or method that compiles it.
        arguments: Its arguments.
        node: The call.
    """
    here = Known(state.where(node), value=True)
    given = {option: arguments.named[option] for option in _OPTIONS if option in arguments.named}
    if name == _REGIONAL:
        given["regional"] = here
    for option, value in given.items():
        state.put(part, f"{_PATH}.{option}", value)
    if not given:
        state.put(part, _PATH, here)
