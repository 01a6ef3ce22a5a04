"""Run the cells of a notebook one after another in `__main__`, as Jupyter does, with plain text for what they show."""

from __future__ import annotations

import ast
import codeop
import json
import linecache
import os
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from .tracebacks import strip


def run(cells: str) -> None:
    """Run the cells in this process. What they raise ends it, with the cell and the line in the traceback.

    Args:
        cells: A JSON file with `name`, the name of the notebook, and `cells`, pairs of a cell's number and its code.
    """
    content = json.loads(Path(cells).read_text("utf-8"))
    sys.argv[0] = content["name"]
    os.environ.setdefault("MPLBACKEND", "agg")  # Jupyter sets a backend too, which opens no window
    _name_the_cell_first()
    namespace = sys.modules["__main__"].__dict__
    namespace.setdefault("display", display)
    compiler = codeop.Compile()  # what a cell imports from `__future__` also holds for the later ones
    for number, code in content["cells"]:
        _run(code, f"{content['name']}, cell {number}", namespace, compiler)


def display(*values: Any, **_: Any) -> None:
    """Print values as plain text, where Jupyter shows a picture or a table."""
    for value in values:
        sys.stdout.write(f"{value!r}\n")


def _run(code: str, place: str, namespace: dict[str, Any], compiler: codeop.Compile) -> None:
    """Run a cell, and print the value of its last line, unless that ends with a semicolon."""
    linecache.cache[place] = (len(code), None, code.splitlines(keepends=True), place)
    tree = ast.parse(code, place)
    is_shown = tree.body and isinstance(tree.body[-1], ast.Expr) and not code.rstrip().endswith(";")
    shown = [tree.body.pop()] if is_shown else []
    exec(compiler(tree, place, "exec"), namespace)  # type: ignore[arg-type]  # noqa: S102 - the user's own code
    for last in shown:
        exec(compiler(ast.Interactive([last]), place, "single"), namespace)  # type: ignore[arg-type]  # noqa: S102


def _name_the_cell_first() -> None:
    """Begin tracebacks at the cell that failed, with its lines, which are in no file that Python could show."""
    here = str(Path(__file__).parents[2])

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        strip(error, here)
        trace = error.__traceback__
        if trace is not None and trace.tb_frame.f_code.co_filename == "<string>":  # of the command that begins this
            trace = trace.tb_next
        traceback.print_exception(kind, error.with_traceback(trace), trace)

    sys.excepthook = show
