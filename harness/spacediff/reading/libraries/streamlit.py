"""Streamlit: a widget is an input, and its value is used right where it is created."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    External,
    Items,
    Known,
    Value,
)
from spacediff.reading.values.inputs import asked, text_of

_VALUE_POSITION = {
    "slider": 3, "number_input": 3, "text_input": 1, "text_area": 1, "checkbox": 1, "selectbox": 2, "radio": 2,
    "toggle": 1, "file_uploader": 9, "select_slider": 2,
}  # fmt: skip
"""Widget to the position of its value among its arguments."""
_ROWS = frozenset({"columns", "tabs", "beta_columns"})
_PLACES = frozenset({"container", "expander", "form", "empty", "popover", "status", "beta_expander", "chat_message"})
"""Functions that return a place, or several, in which the same functions create widgets."""
_MOST_PLACES = 32


class Streamlit(Library):
    """Takes a widget for the value that the user gives."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the input that a widget asks for."""
        if function.package not in {"st", "streamlit"}:
            return None
        name, where = function.last_name, state.where(node)
        if name in _ROWS:
            return _row(state, arguments, where)
        if name in _PLACES:
            return External(where, f"streamlit.{name}")
        if name not in _VALUE_POSITION:
            return None
        default = arguments.get("value") or arguments.get("", _VALUE_POSITION[name])
        return asked(name, text_of(arguments.get("label", 0)), default, where)


def _row(state: State, arguments: Arguments, where: str) -> Value:
    """Return the places of `st.columns` or `st.tabs`, whose methods create widgets as those of `streamlit` do."""
    given = arguments.get("spec", 0) or arguments.get("tabs")
    count = len(given.items) if isinstance(given, Items) else given.value if isinstance(given, Known) else 0
    known = isinstance(count, int) and 0 < count <= _MOST_PLACES
    places = [External(where, "streamlit.column")] * (count if isinstance(count, int) and known else 1)
    return Items(where, tuple(places), open=not known, identity=state.heap.identity())
