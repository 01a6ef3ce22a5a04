"""Parameters of a function that Gradio calls: which receive inputs, and which Gradio fills in itself."""

from __future__ import annotations

import ast
import re

from spacediff.reading.values import Function

_FILLED_IN = re.compile(r"\b(gr|gradio)\.(Request|Header|OAuth\w+|\w*Data)\b|^Request\b")
"""Annotations of parameters that Gradio fills in."""
_FILLED_IN_BY_DEFAULT = re.compile(r"^((gr|gradio)\.)?(Progress|Cache)\(")


def positional_parameters(function: Function) -> list[tuple[str, bool]]:
    """Return the positional parameters that are not bound yet, each with whether Gradio fills it in."""
    arguments = function.parameters
    every = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [*[None] * (len(every) - len(arguments.defaults)), *arguments.defaults]
    named = dict(function.given[1])
    return [
        (parameter.arg, _is_filled_in(parameter, default))
        for parameter, default in list(zip(every, defaults, strict=True))[len(function.given[0]) :]
        if parameter.arg not in named
    ]


def receives_dict(function: Function, count: int) -> bool:
    """Return whether a function receives its inputs as one dict, as from a set of components."""
    found = [name for name, is_filled_in in positional_parameters(function) if not is_filled_in]
    return count > 1 and len(found) == 1 and function.parameters.vararg is None


def _is_filled_in(parameter: ast.arg, default: ast.expr | None) -> bool:
    annotation = ast.unparse(parameter.annotation) if parameter.annotation is not None else ""
    return bool(_FILLED_IN.search(annotation)) or (
        default is not None and bool(_FILLED_IN_BY_DEFAULT.match(ast.unparse(default)))
    )
