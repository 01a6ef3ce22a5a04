"""Fields of request models and of dataclasses: `pydantic.Field`, `fastapi.Query`, `dataclasses.field` and the like."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Arguments, External, Function, Items, Known, Table, Unknown, Value

_PACKAGES = frozenset({
    "pydantic", "pydantic_settings", "fastapi", "dataclasses", "sqlmodel", "msgspec", "attrs", "attr", "simple_parsing",
    "ninja", "transformers", "trl", "bentoml", "marshmallow_dataclass", "omegaconf",
})  # fmt: skip
_FIELDS = frozenset({"Field", "field", "Query", "Body", "Form", "Path", "Header", "Cookie", "HfArg", "attrib", "ib"})
_DEFAULT_BY_NAME = frozenset({"field", "attrib", "ib"})
"""Functions whose default is no positional argument."""
_FACTORIES: dict[str, Value] = {
    "list": Items("", ()),
    "dict": Table("", ()),
    "str": Known("", ""),
    "set": Items("", ()),
}


class RequestModels(Library):
    """Returns the default of a field, which is unknown if the field is required."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the default that `Field(...)` gives."""
        name = function.last_name
        if name not in _FIELDS or (function.package not in _PACKAGES and function.name not in _FIELDS):
            return None
        default = arguments.get("default", None if name in _DEFAULT_BY_NAME else 0)
        factory = arguments.get("default_factory") or arguments.get("factory")
        if default is None and factory is not None:
            default = _made_by(state, factory, node)
        is_required = default is None or (isinstance(default, Unknown) and default.text == "...")
        return Unknown(state.where(node), "required") if is_required else default


def _made_by(state: State, factory: Value, node: ast.AST) -> Value:
    if isinstance(factory, Function):
        return state.call(factory, Arguments([], {}), node)
    known = _FACTORIES.get(factory.name) if isinstance(factory, External) else None
    return known or state.call(factory, Arguments([], {}), node)
