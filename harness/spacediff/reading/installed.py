"""Classes of the installed diffusers: found by one look at its files, parsed when needed, and never imported."""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_FOLDERS = ("pipelines", "schedulers", "models", "modular_pipelines")
_CLASS = re.compile(rb"^class (\w+)", re.MULTILINE)
_NO_MODELS = ("Processor", "Processor2_0", "Output", "Mixin", "Embedding", "Embeddings", "Block")
"""Ends of the names of classes beside the models."""
_MOST_BASES = 8
"""Generations of base classes in which a method is looked for."""
_FOR_ANY_PIPELINE = ("pipeline_utils.py", "auto_pipeline.py")
"""Modules under `pipelines/` that define no pipeline of their own."""
_TAKES_FROM_KEYWORDS = frozenset({"pop", "get", "setdefault"})


@dataclass(frozen=True, slots=True)
class Method:
    """A method of an installed class.

    Attributes:
        parameters: Its parameters in order, without `self` and those that are marked with a star.
        positional: How many of them a positional argument reaches.
        swallows: Whether it accepts every keyword argument and uses only those in `parameters` and `taken`.
        taken: Keyword arguments that its body takes out of `**kwargs`.
        is_open: Whether it passes `**kwargs` on, so that what it does with others is unknown.
        node: Its definition.
    """

    parameters: tuple[str, ...]
    positional: int
    swallows: bool
    taken: frozenset[str]
    is_open: bool
    node: ast.FunctionDef

    def uses(self, argument: str) -> bool:
        """Return whether the method has a use for a keyword argument, or may have one."""
        return self.is_open or argument in self.parameters or argument in self.taken


def is_model(name: str) -> bool:
    """Return whether the installed diffusers has a model of this name, such as a transformer or a VAE."""
    file = _files().get(name)
    return file is not None and "models" in file.parts and not name.endswith(_NO_MODELS)


@functools.lru_cache(maxsize=256)
def method(name: str, method_name: str) -> Method | None:
    """Return a method of an installed class or of its nearest base class that has it; None if there is none."""
    waiting, seen = [name], 0
    while waiting and seen < _MOST_BASES:
        found = _class(waiting.pop(0))
        seen += 1
        if found is None:
            continue
        for inner in found.body:
            if isinstance(inner, ast.FunctionDef) and inner.name == method_name:
                return _described(inner)
        waiting.extend(base.id for base in found.bases if isinstance(base, ast.Name))
    return None


@functools.lru_cache(maxsize=32)
def pipeline_source(name: str) -> str:
    """Return the source of the modules of an installed pipeline, its base classes, and the pipelines that it builds.

    Empty if there is no such class, or if it is one that only finds the class of a checkpoint (`DiffusionPipeline`,
    `AutoPipelineForText2Image`).
    """
    waiting, files = [name], list[Path]()
    while waiting:
        file = _files().get(waiting.pop(0))
        if file is None or "pipelines" not in file.parts or file.name in _FOR_ANY_PIPELINE or file in files:
            continue
        files.append(file)
        for node in ast.walk(_module(file)):
            bases = node.bases if isinstance(node, ast.ClassDef) else []
            made = [node.func] if isinstance(node, ast.Call) else []
            waiting += [each.id for each in (*bases, *made) if isinstance(each, ast.Name)]
    return "".join(file.read_text("utf-8") for file in files)


@functools.lru_cache(maxsize=1)
def _files() -> dict[str, Path]:
    """Return the file of every class; of several with the same name the first."""
    package = find_spec("diffusers")
    if package is None or package.origin is None:
        return {}
    found: dict[str, Path] = {}
    for folder in _FOLDERS:
        for file in sorted((Path(package.origin).parent / folder).rglob("*.py")):
            for name in _CLASS.findall(file.read_bytes()):
                found.setdefault(name.decode(), file)
    return found


@functools.lru_cache(maxsize=256)
def _class(name: str) -> ast.ClassDef | None:
    file = _files().get(name)
    if file is None:
        return None
    return next((node for node in _module(file).body if isinstance(node, ast.ClassDef) and node.name == name), None)


@functools.lru_cache(maxsize=32)
def _module(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def _described(node: ast.FunctionDef) -> Method:
    positional = [one.arg for one in (*node.args.posonlyargs, *node.args.args)][1:]
    rest = node.args.kwarg.arg if node.args.kwarg is not None else ""
    taken = {
        call.args[0].value
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in _TAKES_FROM_KEYWORDS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == rest
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }
    return Method(
        (*positional, *(one.arg for one in node.args.kwonlyargs)),
        len(positional),
        bool(rest),
        frozenset(taken),
        bool(rest) and _is_passed_on(node, rest),
        node,
    )


def _is_passed_on(node: ast.FunctionDef, rest: str) -> bool:
    """Return whether a function does more with `**rest` than to take single arguments out of it."""
    names = [one for one in ast.walk(node) if isinstance(one, ast.Name) and one.id == rest]
    owners = {
        id(one.value) for one in ast.walk(node) if isinstance(one, ast.Attribute) and one.attr in _TAKES_FROM_KEYWORDS
    }
    compared = {
        id(side)
        for one in ast.walk(node)
        if isinstance(one, ast.Compare) and all(isinstance(operation, ast.In | ast.NotIn) for operation in one.ops)
        for side in one.comparators
    }
    return any(id(name) not in owners | compared for name in names)
