"""Notebooks: their code cells as one text, in which blank lines replace what is not Python.

So every line keeps its number, and a setting can be shown with its cell and line.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_NOTEBOOK_BYTES = 16 * 1024 * 1024
"""Largest notebook that is read; those that contain pictures and clips are large."""
_MAGIC = re.compile(r"([ \t]*)([\w, \t]+=[ \t]*)?[!%](?!=)")
_TIME_MAGIC = re.compile(r"([ \t]*)%time[ \t]+(?=\S)")
_CELL_MAGIC = re.compile(r"\s*%%(?!time|timeit|capture|prun)")


@dataclass(frozen=True, slots=True)
class Cells:
    """The code cells of a notebook as one text.

    Attributes:
        code: Their text.
        starts: For each code cell: its number among all cells, from 1, and the number of lines before it.
        unread: The numbers of the code cells that are not Python.
    """

    code: str
    starts: tuple[tuple[int, int], ...]
    unread: tuple[int, ...]

    def place(self, line: int) -> str:
        """Return the cell of a line of the text, and its line within the cell; both count from 1."""
        cell, before = next((one for one in reversed(self.starts) if one[1] < line), (1, 0))
        return f"cell {cell}, line {line - before}"


def cells_of(content: bytes) -> Cells:
    """Return the code cells of a notebook.

    Raises:
        ValueError: It is not a notebook.
        RecursionError: Its JSON is nested too deeply.
    """
    lines: list[str] = []
    starts: list[tuple[int, int]] = []
    unread: list[int] = []
    for number, text in code_cells(notebook_in(content)):
        starts.append((number, len(lines)))
        code = without_magics(text)
        if _CELL_MAGIC.match(text) or not is_python(code):
            unread += [number] * (not _CELL_MAGIC.match(text))
            code = "\n" * text.count("\n")
        lines += code.split("\n")
    return Cells("\n".join(lines), tuple(starts), tuple(unread))


def notebook_in(content: bytes) -> dict[str, Any]:
    """Return the JSON of a notebook.

    Raises:
        ValueError: It is not a notebook.
        RecursionError: Its JSON is nested too deeply.
    """
    if not content.strip():
        raise ValueError("it is empty")
    try:
        notebook = json.loads(content.decode("utf-8-sig", "replace"))
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno} is not JSON") from None
    if not isinstance(notebook, dict):
        raise ValueError("it has no list of cells")  # noqa: TRY004 - bad content, not a bad argument
    return notebook


def code_cells(notebook: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield the code cells: the number of each among all cells, from 1, and its text.

    Raises:
        ValueError: It has no list of cells.
    """
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise ValueError("it has no list of cells")  # noqa: TRY004 - bad content, not a bad argument
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            yield number, _text(cell.get("source"))


def _text(source: object) -> str:
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def is_python(code: str) -> bool:
    """Whether Python can parse a text."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def without_magics(code: str) -> str:
    """Replace lines of IPython, such as `!pip install x` and `%matplotlib inline`, by lines that do nothing."""
    return "\n".join(_plain_lines(code.split("\n")))


def _plain_lines(lines: list[str]) -> Iterator[str]:
    continues = False
    for line in lines:
        timed, magic = _TIME_MAGIC.match(line), _MAGIC.match(line)
        if continues:
            yield ""
        elif timed:
            yield timed[1] + line[timed.end() :]
            continue
        elif magic:
            yield f"{magic[1]}pass"
        else:
            yield line
            continue
        continues = line.rstrip().endswith("\\")
