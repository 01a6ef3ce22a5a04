"""The observer must run inside any script, so it imports only what a pipeline needs anyway."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import spacediff.observer

ALLOWED = {"torch", "diffusers", "numpy", "psutil", *sys.stdlib_module_names}


def imported(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


def test_the_observer_imports_nothing_else_of_spacediff_and_only_what_pipelines_need() -> None:
    files = sorted(Path(spacediff.observer.__file__).parent.glob("**/*.py"))
    assert len(files) > 5
    modules = set().union(*(imported(file.read_text("utf-8")) for file in files))
    assert "torch" in modules, "imports inside functions count too"
    ours = {name for name in modules if name.split(".")[0] == "spacediff"}
    assert all(name.startswith("spacediff.observer.") for name in ours)
    assert {name.split(".")[0] for name in modules - ours} <= ALLOWED
