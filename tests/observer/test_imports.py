"""Observer and watch must run inside any script, so they import only each other and what a pipeline needs anyway."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import spacediff.observer
import spacediff.watch

ALLOWED = {"torch", "diffusers", "numpy", "psutil", "safetensors", *sys.stdlib_module_names}
OF_APPS = {"probe.py": {"gradio"}}
"""What a file may import besides, since only an app that has it calls that file."""
COPIED = {"observer": spacediff.observer, "watch": spacediff.watch}


def imported(source: str) -> set[str]:
    """Return the imported modules, relative ones with their dots; imports inside functions count too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


@pytest.mark.parametrize(("room", "relative"), [("observer", (".",)), ("watch", (".", "..observer."))])
def test_what_is_copied_into_a_script_imports_only_what_is_there(room: str, relative: tuple[str, ...]) -> None:
    files = sorted(Path(str(COPIED[room].__file__)).parent.glob("**/*.py"))
    assert len(files) > 5
    modules = set().union(*(imported(file.read_text("utf-8")) for file in files))
    assert "torch" in modules
    ours = {name for name in modules if name.startswith(".")}
    assert all(name.startswith(relative) and (not name.startswith("..") or room == "watch") for name in ours)
    for file in files:
        foreign = {name.split(".")[0] for name in imported(file.read_text("utf-8")) if not name.startswith(".")}
        assert foreign <= ALLOWED | OF_APPS.get(file.name, set())


@pytest.mark.parametrize("room", COPIED)
def test_what_is_copied_into_a_script_is_valid_for_python_3_10(room: str) -> None:
    for file in Path(str(COPIED[room].__file__)).parent.glob("**/*.py"):
        ast.parse(file.read_text("utf-8"), feature_version=(3, 10))
