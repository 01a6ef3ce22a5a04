"""Caches of diffusers for the denoiser: their configuration as a dict, which `enable_cache` gives to a model."""

from __future__ import annotations

import ast
import re

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Absent, Arguments, External, Known, Object, Table, Value

_CONFIGURATION = re.compile(r"(\w+Cache|PyramidAttentionBroadcast)Config$")
_CALLBACK = "_callback"
"""End of the names of options that take a function, which spacediff supplies or a scenario cannot say."""


class Caches(Library):
    """Returns the configuration of a cache with the options that the source gives."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a configuration as a dict with its class."""
        is_diffusers = function.package == "diffusers" or "." not in function.name  # also of a star import
        if not is_diffusers or not _CONFIGURATION.match(function.last_name) or arguments.positional:
            return None
        options = [(key, value) for key, value in arguments.named.items() if not key.endswith(_CALLBACK)]
        where = state.where(node)
        return Table(where, (("class", Known(where, function.last_name)), *options), bool(arguments.open))


def change_cache(state: State, part: Object, name: str, arguments: Arguments, node: ast.AST) -> bool:
    """Set or take back the options of a cache that a model is given; return whether they are known."""
    if name == "disable_cache":
        for path in [path for path in state.heap.cell(part.cell) if path.startswith("cache.")]:
            state.put(part, path, Absent(state.where(node)))
        return True
    config = arguments.get("config", 0)
    if name != "enable_cache" or not isinstance(config, Table) or config.open:
        return False
    for key, value in config.items:
        state.put(part, f"cache.{key}", value)
    return True
