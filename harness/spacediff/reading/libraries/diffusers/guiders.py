"""Guiders of diffusers: their class and options, as a pipeline that has one uses them."""

from __future__ import annotations

import ast
import re

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.paths import Paths
from spacediff.reading.values import Arguments, External, Known, Object, Table, Unknown, Value

GUIDER = "guider"
"""The component of a pipeline, and the table of its settings."""
_CLASS = re.compile(r"[A-Z]\w*Guidance$")


class Guiders(Library):
    """Returns a guider with the options that the source gives."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a guider as a dict with its class."""
        is_diffusers = function.package == "diffusers" or "." not in function.name  # also of a star import
        if not is_diffusers or not _CLASS.match(function.last_name) or arguments.positional:
            return None
        where = state.where(node)
        return Table(
            where, (("class", Known(where, function.last_name)), *arguments.named.items()), bool(arguments.open)
        )


def guider_paths(value: Value) -> Paths | None:
    """Return the paths of what a pipeline has for its guider: none for the checkpoint's own."""
    if isinstance(value, Table) and not value.open and "class" in value.named:
        return {f"{GUIDER}.{key}": one for key, one in value.named.items()}
    if isinstance(value, Object):
        return None
    return {f"{GUIDER}.class": value if isinstance(value, Unknown) else Unknown(value.where, "another guider")}
