"""The cells of a notebook that is to be run, as plain Python.

The key insight: a notebook without magics is a script. So magics that only show something are left out, and one that
changes what the later cells compute, such as an installation, is refused before anything runs.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

from spacediff.errors import FileNotAccessible, InvalidArgument
from spacediff.reading.notebooks import MOST_NOTEBOOK_BYTES, code_cells, is_python, notebook_in

_FORMAT = 4
_LONGEST = 60
"""Characters of a refused line in a message."""
_LINE = re.compile(r"([ \t]*)(?:%(?P<magic>\w+)[ \t]*(?P<rest>.*)|!(?P<shell>.*)|\?\??[\w.]+|[\w.]+\?\??[ \t]*$)")
_ASSIGNED = re.compile(r"[ \t]*[\w, \t]+=[ \t]*(?P<what>[!%].*)")
_CELL = re.compile(r"\s*%%(?P<magic>\w+)[ \t]*(?P<rest>.*)")

_LEFT_OUT = frozenset({
    "autoreload", "clear", "cls", "history", "ls", "lsmagic", "matplotlib", "pprint", "pwd", "who", "whos", "xmode",
})  # fmt: skip
"""Line magics that show something, or change only what is shown."""
_LEFT_OUT_WITH = {"config": "InlineBackend", "load_ext": "autoreload"}
"""Line magics that are left out with this argument only."""
_SHOWS = frozenset({"html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG"})
"""Cell magics whose cell is no code of the notebook."""
_WITHOUT_SIGN = re.compile(r"[ \t]*(?:pip3?|conda|mamba|cd|run|env|set_env)[ \t]+[\w./~-].*")
"""Lines that IPython takes as magics although they lack the sign."""
_LOOKS = re.compile(
    r"(nvidia-smi|ls|pwd|df|free|lscpu|uname|which|nproc|date|cat|head|echo|(python|pip)3? (--version|-V)"
    r"|pip3? (list|show|freeze))( [^|;&<>`$]*)?"
)
"""Shell commands that only look."""


def is_notebook(script: Path) -> bool:
    """Whether a script is a notebook by its name."""
    return script.suffix == ".ipynb"


def write_cells(name: str, cells: Iterable[tuple[int, str]], folder: Path) -> str:
    """Write the cells of a notebook for `spacediff.watch.notebook`, and return the file.

    Args:
        name: Name of the notebook.
        cells: The number of each cell, and its code.
        folder: Where the file goes.
    """
    file = folder / "cells.json"
    file.write_text(json.dumps({"name": name, "cells": list(cells)}), encoding="utf-8")
    return str(file)


def cells_to_run(notebook: Path) -> list[tuple[int, str]]:
    """Return the code cells of a notebook as Python: the number of each among all cells, from 1, and its code.

    Raises:
        FileNotAccessible: The file cannot be read.
        InvalidArgument: It is no notebook of Python in format 4, or a magic in it changes what later cells compute.
    """
    try:
        with notebook.open("rb") as file:
            content = file.read(MOST_NOTEBOOK_BYTES + 1)
    except OSError as error:
        raise FileNotAccessible(f"{notebook} cannot be read: {error.strerror}") from error
    if len(content) > MOST_NOTEBOOK_BYTES:
        raise InvalidArgument(
            f"{notebook} is larger than {MOST_NOTEBOOK_BYTES // 2**20} MiB", hint="remove the outputs of its cells"
        )
    try:
        found = notebook_in(content)
        if found.get("nbformat") != _FORMAT:
            raise InvalidArgument(
                f"{notebook} is a notebook of format {str(found.get('nbformat'))[:_LONGEST]}; 4 is expected",
                hint="open it in Jupyter and save it, which converts it",
            )
        if (language := _language(found)) != "python":
            raise InvalidArgument(f"{notebook} is a notebook of {language[:_LONGEST]}; Python is expected")
        cells = list(code_cells(found))
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(f"{notebook} is no notebook: {error}") from error
    return [(number, _python(text, f"{notebook.name}, cell {number}")) for number, text in cells]


def _language(notebook: dict[str, object]) -> str:
    """Return the language of a notebook, by default Python; `kernelspec` and `language_info` of nbformat 4.5."""
    metadata = notebook.get("metadata")
    for name, key in (("language_info", "name"), ("kernelspec", "language")):
        table = metadata.get(name) if isinstance(metadata, dict) else None
        if isinstance(table, dict) and isinstance(language := table.get(key), str):
            return language.lower().removeprefix("i")
    return "python"


def _python(text: str, place: str) -> str:
    """Return the Python of a cell; lines keep their numbers.

    Raises:
        InvalidArgument: A magic or shell command in it is refused.
    """
    if cell := _CELL.match(text):
        text = _without_cell_magic(cell, text, place)
    code = text if is_python(text) else "\n".join(_lines(text.split("\n"), place))
    if is_python(code) and any(_name(node) == "get_ipython" for node in ast.walk(ast.parse(code))):
        raise _refused("get_ipython()", place)
    return code


def _without_cell_magic(cell: re.Match[str], text: str, place: str) -> str:
    magic, rest, body = cell["magic"], cell["rest"].strip(), text[cell.end() :]
    before = "\n" * text.count("\n", 0, cell.end())
    if magic in _SHOWS:
        return ""
    if magic in {"time", "capture"} and not rest:
        return before + body
    raise _refused(f"%%{magic} {rest}", place)


def _lines(lines: list[str], place: str) -> Iterator[str]:
    """Yield the lines of a cell, each line of IPython as one that does nothing."""
    done: list[str] = []
    continues = False
    for number, line in enumerate(lines, 1):
        kept = line
        if continues:
            kept = ""
        elif any(each.match(line) for each in (_LINE, _ASSIGNED, _WITHOUT_SIGN)) and not _is_open(done):
            kept = _left_out(line, f"{place}, line {number}")
        continues = (continues or kept != line) and line.rstrip().endswith("\\")
        done.append(kept)
        yield kept


def _left_out(line: str, place: str) -> str:
    """Return what a line of IPython is in Python.

    Raises:
        InvalidArgument: It changes what later cells compute, or may.
    """
    if assigned := _ASSIGNED.match(line):
        raise _refused(assigned["what"], place)
    found = _LINE.match(line)
    if found is None:
        raise _refused(line, place)
    magic, rest, shell = found["magic"], (found["rest"] or "").strip(), found["shell"]
    if magic == "time" and rest:
        return f"{found[1]}{rest}"
    harmless = magic in _LEFT_OUT or (magic and rest.split(".")[0].split(" ")[0] == _LEFT_OUT_WITH.get(magic))
    if magic and not harmless:
        raise _refused(f"%{magic} {rest}", place)
    if shell is not None and not _LOOKS.fullmatch(shell.strip()):
        raise _refused(f"!{shell.strip()}", place)
    return f"{found[1]}pass"


def _refused(what: str, place: str) -> InvalidArgument:
    shown = what.strip()
    return InvalidArgument(
        f"{place}: {shown if len(shown) <= _LONGEST else shown[:_LONGEST] + '…'} is not run by a recording, and may"
        " change what later cells do",
        hint="do in the environment what it does, remove the line, and record again",
    )


def _is_open(lines: Iterable[str]) -> bool:
    """Whether a statement goes on after these lines: in brackets, in a text over several lines, after a backslash."""
    text = "\n".join(lines)
    if text.rstrip(" \t").endswith("\\"):
        return True
    try:
        list(tokenize.generate_tokens(io.StringIO(text).readline))
    except tokenize.TokenError as error:
        return "EOF" in str(error) or "unterminated triple" in str(error)
    except SyntaxError:
        pass
    return False


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""
