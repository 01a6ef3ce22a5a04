"""Quantisation: configurations of bitsandbytes, torchao, quanto and others, and functions that quantise in place."""

from __future__ import annotations

import ast
import re

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.torch_types import dtype_of_value
from spacediff.reading.values import (
    Arguments,
    External,
    Known,
    Object,
    Table,
    Unknown,
    Value,
)
from spacediff.reading.values.inputs import json_of

_CONFIGURATION = re.compile(r"(BitsAndBytes|TorchAo|Quanto|GGUFQuantization|PipelineQuantization|Modelopt)Config$")


class Quantisation(Library):
    """Notes a quantised model with the configuration that the source gives."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a configuration as a dict, or note that a model is quantised."""
        if _CONFIGURATION.search(function.name):
            return _configuration(state, function.last_name, arguments, node)
        if function.last_name in {"quantize_", "quantize", "freeze"}:
            return _quantised(state, function.last_name, arguments, node)
        return None


def _configuration(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    state.note("quantisation", node)
    items = {"class": Known(state.where(node), name), **arguments.named}
    for position, value in enumerate(arguments.positional):
        items[f"argument {position + 1}"] = value
    return Table(
        state.where(node),
        tuple((key, dtype_of_value(value, texts=False)) for key, value in items.items()),
        bool(arguments.open),
    )


def _quantised(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    model = arguments.get("model", 0)
    if not isinstance(model, Object) or model.kind != "part":
        return None
    state.note("quantisation", node)
    how = arguments.get("weights", 1) or arguments.get("config")
    if name != "freeze" and how is not None:
        text = json_of(how) or (how.text if isinstance(how, Unknown) else None)
        value = Known(how.where, str(text)) if text else how
        state.put(model, "own.quantization_config", value)
    return model
