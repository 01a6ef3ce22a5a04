"""Replace a value where the script sets it: a constant, a default, an entry of a dict, an attribute of a class."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import libcst as cst

from spacediff.devices import is_device
from spacediff.python_code import as_code
from spacediff.settings import Origin
from spacediff.why.code import DTYPES
from spacediff.why.editing import Replacement
from spacediff.why.proposals.site import Proposal, Site

_CONSTANTS = (
    cst.Integer, cst.Float, cst.SimpleString, cst.ConcatenatedString, cst.Name, cst.UnaryOperation, cst.List, cst.Tuple,
    cst.Dict,
)  # fmt: skip
_SHORT_DTYPES = {"half": "float16", "float": "float32", "double": "float64"}


def at_the_value(site: Site) -> Iterator[Proposal]:
    """Yield replacements of the old value where the script sets it, those that are named like the setting first."""
    line = site.line(site.row.left.where)
    if not line or site.row.left.origin is not Origin.READ:
        return
    key = site.row.path.rpartition(".")[2]
    found = [(node, _replacement(site, node)) for node in site.script.expressions_on(line)]
    ordered = sorted(found, key=lambda each: site.script.name_of(each[0]) != key)
    for node, code in ordered:
        if code:
            yield Proposal((Replacement(node, code),), f"{site.script.source_of(node)} becomes {code}")


def choosing_input(site: Site) -> str:
    """Return the input that chooses the value from a table, as in `SIZES[args.model]`; empty if none does.

    Another input chooses another entry, so that changing this one would only break the table.
    """
    line = site.line(site.row.left.where)
    for node in site.script.expressions_on(line) if line else ():
        if isinstance(node, _CONSTANTS) and _same(_written(site, node), site.row.left.value):
            for key in site.script.keys_around(node):
                for asked in site.reading.inputs.values():
                    if key and str(asked.default).lower().endswith(key.lower()):
                        return asked.label
    return ""


def computed_value(site: Site) -> Iterator[Proposal]:
    """Yield replacements of what the script computes the old value with, such as `3 * fps + 1`."""
    line, code = site.line(site.row.left.where), site.code()
    is_number = isinstance(site.value, int | float) and not isinstance(site.value, bool)
    if not line or not is_number or site.row.left.origin is not Origin.READ or site.row.path in site.reading.inputs:
        return
    for node in site.script.expressions_on(line):
        if isinstance(node, cst.BinaryOperation):
            yield Proposal((Replacement(node, code),), f"{site.script.source_of(node)} becomes {code}")


def _replacement(site: Site, node: cst.BaseExpression) -> str:
    """Return the code that replaces an expression with the old value; empty for any other expression."""
    path, left, right = site.row.path, site.row.left.value, site.value
    if path.endswith("dtype") and isinstance(node, cst.Attribute) and right in DTYPES:
        is_old = _SHORT_DTYPES.get(node.attr.value, node.attr.value) == left
        return f"{site.script.source_of(node.value)}.{right}" if is_old else ""
    if path == "scheduler.class" or not isinstance(node, _CONSTANTS):
        return ""
    written = _written(site, node)
    if path == "rng.device":
        is_old = isinstance(written, str) and written.removesuffix(":0") == left
        return as_code(right) if is_old and is_device(str(right)) else ""
    if not _same(written, left):
        return ""
    return as_code(tuple(right) if isinstance(written, tuple) and isinstance(right, list) else right)


def _written(site: Site, node: cst.BaseExpression) -> Any:
    """Return the value of a constant; Ellipsis for anything else."""
    try:
        return ast.literal_eval(site.script.source_of(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ...


def _same(written: Any, value: Any) -> bool:
    """Return whether a constant is a value as it was read; tuples are read as lists."""
    if isinstance(written, list | tuple):
        is_list = isinstance(value, list) and len(written) == len(value)
        return is_list and all(map(_same, written, value))
    return type(written) is type(value) and bool(written == value)
