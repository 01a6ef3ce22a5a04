"""Streamlit: a widget is an input, and its value is used right where it is created."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    External,
    Value,
)
from spacediff.reading.values.inputs import asked, text_of

_VALUE_POSITION = {
    "slider": 3, "number_input": 3, "text_input": 1, "text_area": 1, "checkbox": 1, "selectbox": 2, "radio": 2,
    "toggle": 1, "file_uploader": 9, "select_slider": 2,
}  # fmt: skip
"""Widget to the position of its value among its arguments."""


class Streamlit(Library):
    """Takes a widget for the value that the user gives."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the input that a widget asks for."""
        name = function.last_name
        if name not in _VALUE_POSITION or function.package not in {"st", "streamlit"}:
            return None
        default = arguments.get("value") or arguments.get("", _VALUE_POSITION[name])
        return asked(name, text_of(arguments.get("label", 0)), default, state.where(node))
