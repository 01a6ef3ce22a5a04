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
_IN_PLACE = re.compile(r"quantiz|quantis|fp8|float8|int8|int4|nf4|svdq", re.IGNORECASE)
"""Names of functions that quantise the model that they are given."""
_RECIPE = re.compile(
    r"^(u?int\d\w*|fp\w|float8|gemlite|autoquant)\w*(weight_only|activation|quant)\w*$"
    r"|^\w*(WeightOnly|Activation|IntxWeight|Float8)\w*Config$"
)
"""Names of torchao's recipes, as functions and as classes."""
_LONGEST = 100
"""Characters of a name; the time for the pattern grows with the square of it."""


class Quantisation(Library):
    """Notes a quantised model with the configuration that the source gives."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a configuration as a dict, or note that a model is quantised."""
        if _CONFIGURATION.search(function.name):
            return _configuration(state, function.last_name, arguments, node)
        if (
            len(function.last_name) <= _LONGEST
            and _RECIPE.search(function.last_name)
            and not any(isinstance(one, Object) for one in arguments.every())
        ):
            return _recipe(state, function.last_name, arguments, node)
        if function.last_name == "freeze" or _IN_PLACE.search(function.last_name):
            return _quantised(state, function.last_name, arguments, node)
        return None


def _recipe(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """Return a recipe as text, such as `int8_weight_only()`, under whatever name the source calls it."""
    each = [_shown(one) for one in arguments.positional]
    each += [f"{key}={_shown(one)}" for key, one in arguments.named.items()]
    return Known(state.where(node), f"{name}({', '.join(each)})")


def _shown(value: Value) -> str:
    if isinstance(value, Unknown):
        return value.text
    constant = json_of(value)
    return constant if isinstance(value, External) else repr(constant)


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
    """Note that a function quantises a part, and how; the scheme is the recipe or the function with its arguments."""
    model = arguments.get("model", 0)
    if not isinstance(model, Object) or model.kind != "part":
        return None
    state.note("quantisation", node)
    if name == "freeze":
        return model
    how = arguments.get("weights", 1) or arguments.get("config")
    is_recipe = name in {"quantize_", "quantize"} and how is not None
    others = [_shown(one) for one in arguments.positional[1:]]
    others += [f"{key}={_shown(one)}" for key, one in arguments.named.items() if one is not model]
    recipe = how.value if isinstance(how, Known) and isinstance(how.value, str) else _shown(how) if how else ""
    text = recipe if is_recipe else f"{name}({', '.join(others)})"
    state.put(model, "own.quantization_config", Known(how.where if how is not None else state.where(node), text))
    return model
