"""Say the quantisation of a component in a scenario's words: its backend and options.

A source gives a configuration of diffusers or transformers. A scenario names the backend, for which the library of the
component has such a class.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from spacediff.settings import is_plain

GGUF = "GGUFQuantizationConfig"
"""The configuration for a GGUF file, which a scenario does not say: the file says it."""
_BACKENDS = {"QuantoConfig": "quanto", "TorchAoConfig": "torchao"}
_FLAGS = {"bitsandbytes_4bit": "load_in_4bit", "bitsandbytes_8bit": "load_in_8bit"}
"""Backends that share one class, to the option that chooses each."""
_FIRST = {"TorchAoConfig": "quant_type", GGUF: "compute_dtype"}
"""Name of the first positional argument, where both libraries have the same one."""
NOT_SAID = (
    "a scenario quantises a component at its loading, by components.NAME.quantization: a backend and plain options"
)
"""Why another quantisation is left out."""


def configurations(value: object) -> dict[str, Any]:
    """Return part to configuration from the quantisation of a pipeline; empty if that names no parts."""
    is_whole = not isinstance(value, Mapping) or not value.keys().isdisjoint({"class", "quant_backend"})
    return {} if is_whole or not isinstance(value, Mapping) else dict(value)


def quantisation_words(configuration: object) -> dict[str, Any] | None:
    """Return `backend` and options of a configuration as a scenario says them; None if it cannot.

    Args:
        configuration: What the source gives: a dict with the name of the class, or with the backend, and its arguments.
    """
    given = _named(configuration)
    kind, backend = given.pop("class", None), given.pop("backend", None)
    if kind == "BitsAndBytesConfig":
        chosen = [name for name, flag in _FLAGS.items() if given.get(flag) is True]
        backend = chosen[0] if len(chosen) == 1 else None
    elif kind is not None:
        backend = _BACKENDS.get(kind)
    if backend in _FLAGS and given.pop(_FLAGS[backend], False) is not True:
        return None
    options = {key: value for key, value in given.items() if key not in _FLAGS.values() or value is not False}
    if not isinstance(backend, str) or not all(map(is_plain, options.values())):
        return None
    if any(not key.isidentifier() for key in options):
        return None  # a positional argument of one library
    if "(" in str(options.get("quant_type", "")):
        recipe = _recipe(options["quant_type"])
        return recipe and {"backend": backend, **options, "quant_type": recipe}
    return {"backend": backend, **options}


def _recipe(text: str) -> dict[str, Any] | None:
    """Return a recipe of torchao as a table, `{"class": "Int8WeightOnlyConfig", …}`; None if it cannot be said so."""
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            return None
        given = {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg}
    except (SyntaxError, ValueError):
        return None
    is_whole = len(given) == len(call.keywords) and all(map(is_plain, given.values()))
    return {"class": call.func.id, **given} if is_whole and call.func.id.endswith("Config") else None


def gguf_dtype(configuration: object) -> str | None:
    """Return the dtype in which the weights of a GGUF file are computed with; None for another configuration."""
    given = _named(configuration)
    if given.pop("class", None) != GGUF or given.keys() - {"compute_dtype"}:
        return None
    return str(given.get("compute_dtype", "float32"))


def _named(configuration: object) -> dict[str, Any]:
    given = dict(configuration) if isinstance(configuration, Mapping) else {}
    first = _FIRST.get(str(given.get("class")))
    if first and "argument 1" in given:
        given[first] = given.pop("argument 1")
    return given
