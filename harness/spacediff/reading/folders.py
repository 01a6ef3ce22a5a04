"""The main file of a folder that names none: the one script that no other imports and that calls a pipeline."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from pathlib import Path

from spacediff.errors import SourceNotReadable
from spacediff.reading.parsing import MOST_BYTES, UnreadableError, parse

_MOST_SCRIPTS = 64
_MOST_READ = 4
"""Scripts that are read to find the one that calls a pipeline."""


def main_script(folder: Path, calls_pipeline: Callable[[Path], bool]) -> Path:
    """Return the main file of a folder.

    Args:
        folder: The folder; only the scripts directly in it count.
        calls_pipeline: Returns whether a script calls a pipeline; asked for a few of them, after all other criteria.

    Raises:
        SourceNotReadable: There is none, or there are several; they are named.
    """
    scripts = sorted(folder.glob("*.py"))
    if len(scripts) == 1:
        return scripts[0]
    imported = {name for script in scripts[:_MOST_SCRIPTS] for name in _imports(script)}
    alone = [script for script in scripts[:_MOST_SCRIPTS] if script.stem not in imported]
    candidates = [script for script in alone if calls_pipeline(script)] if 1 < len(alone) <= _MOST_READ else alone
    if len(candidates) == 1:
        return candidates[0]
    raise SourceNotReadable(
        f"{folder} has no main file: found {_names(candidates or scripts)}", hint="name the file to read"
    )


def _names(scripts: Sequence[Path]) -> str:
    return ", ".join(script.name for script in scripts[:8]) or "no .py file"


def _imports(script: Path) -> set[str]:
    """Return the modules of its folder that a script may import; none if it is not Python."""
    with script.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    try:
        tree = parse(content, script.name).tree
    except UnreadableError:
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
    return found - {script.stem}
