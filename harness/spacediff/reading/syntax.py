"""Python's own parser, without what it says of a stranger's code."""

from __future__ import annotations

import ast
import warnings


def parsed(code: str) -> ast.Module:
    """Return the syntax tree of a text; warnings, such as those of odd escapes, are not shown.

    Raises:
        SyntaxError: It is not Python.
        ValueError: It contains null bytes.
        RecursionError: Its expressions are nested too deeply.
        MemoryError: The same, noticed by the parser.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code)
