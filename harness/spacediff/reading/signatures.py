"""Arguments and defaults of the installed diffusers, read from its source without importing it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spacediff.errors import nearest_name
from spacediff.reading.model import Note, Reading
from spacediff.scenario.tables import OWNED
from spacediff.settings import is_plain


def call_defaults(pipeline: str) -> dict[str, Any]:
    """Return the defaults of a pipeline's `__call__`, read from the source of the installed diffusers.

    Empty when diffusers is not installed, or has no such class.
    """
    found = _signature("pipelines", pipeline, "__call__")
    return {name: value for name, value in found.items() if f"call.{name}" not in OWNED}


def class_defaults(scheduler: str) -> dict[str, Any]:
    """Return the defaults of a scheduler's configuration, read from the source of the installed diffusers."""
    return _signature("schedulers", scheduler, "__init__")


def accepts(pipeline: str, argument: str) -> bool:
    """Return whether the `__call__` of a pipeline has an argument; True if that is unknown."""
    taken = _arguments_of(pipeline)
    return taken is None or argument in taken


def _arguments_of(pipeline: str) -> list[str] | None:
    """Return the arguments of a pipeline's `__call__`; None if they are unknown or it accepts any."""
    method = _method("pipelines", pipeline, "__call__")
    if method is None or method.args.kwarg is not None:
        return None
    return [one.arg for one in (*method.args.args, *method.args.kwonlyargs)]


def refusals(reading: Reading) -> list[Note]:
    """Return a note for each argument that the installed pipeline does not have, with the nearest name that it has."""
    pipeline = reading.settings.value("model.pipeline")
    of_another = "load.custom_pipeline" in reading.settings
    taken = _arguments_of(pipeline) if isinstance(pipeline, str) and not of_another else None
    notes = []
    for path, setting in reading.settings.items():
        table, _, name = path.partition(".")
        is_keyword = table == "call" and name.isidentifier() and not name.startswith("argument_")
        if is_keyword and taken is not None and name not in taken:
            nearest = nearest_name(name, taken)
            meant = f"; did you mean {nearest}?" if nearest else ""
            text = f"{pipeline} of the installed diffusers has no argument {name}, so the call would fail{meant}"
            notes.append(Note("refused argument", text, setting.where))
    return notes


def _signature(folder: str, name: str, method: str) -> dict[str, Any]:
    """Return the defaults of a method of a class of diffusers by parameter."""
    found = _method(folder, name, method)
    return dict(_defaults_of(found)) if found else {}


@functools.lru_cache(maxsize=64)
def _method(folder: str, name: str, method: str) -> ast.FunctionDef | None:
    package = find_spec("diffusers")
    if package is None or package.origin is None or not name.isidentifier():
        return None
    marker = f"class {name}("
    for file in sorted((Path(package.origin).parent / folder).rglob("*.py")):
        text = file.read_text("utf-8")
        if marker in text:
            return _method_in(ast.parse(text), name, method)
    return None


def _method_in(module: ast.Module, name: str, method: str) -> ast.FunctionDef | None:
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name == method:
                    return inner
    return None


def _defaults_of(method: ast.FunctionDef) -> Iterator[tuple[str, Any]]:
    names = [argument.arg for argument in method.args.args]
    for name, default in zip(names[len(names) - len(method.args.defaults) :], method.args.defaults, strict=True):
        try:
            value = ast.literal_eval(default)
        except ValueError:
            continue
        if is_plain(value):
            yield name, value
