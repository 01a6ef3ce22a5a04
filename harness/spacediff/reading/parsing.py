"""Source files as trees: bounded in size, in number and in depth, whatever their bytes."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

from spacediff.reading.notebooks import MOST_NOTEBOOK_BYTES, Cells, cells_of, without_magics

MOST_BYTES = 1024 * 1024
"""Size of one source file; the largest demos have a tenth of it."""

MOST_FILES = 64
"""Files of one source that are followed."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its name as shown, its tree, its lines."""

    name: str
    tree: ast.Module
    lines: list[str] = field(repr=False)
    cells: Cells | None = None

    def place(self, line: int) -> str:
        """Return file and line, in a notebook with the cell."""
        return f"{self.name}, {self.cells.place(line)}" if self.cells else f"{self.name}:{line}"

    def words(self, node: ast.AST) -> str:
        """Return the node's own text, one line of it."""
        number = getattr(node, "lineno", 0)
        if not 0 < number <= len(self.lines):
            return ""
        line = self.lines[number - 1].encode("utf-8", "replace")
        end = getattr(node, "end_col_offset", None) if getattr(node, "end_lineno", 0) == number else None
        text = line[getattr(node, "col_offset", 0) : end].decode("utf-8", "replace").strip()
        return (text if end is not None else f"{text} …")[:160]


class UnreadableError(Exception):
    """A file that is no Python source."""


def parse(text: str | bytes, name: str) -> Source:
    """Return a file's tree.

    Raises:
        UnreadableError: It is too large or no Python.
    """
    if name.endswith(".ipynb"):
        return _notebook(text.encode("utf-8", "replace") if isinstance(text, str) else text, name)
    if len(text) > MOST_BYTES:
        raise UnreadableError(f"{name} is larger than {MOST_BYTES // 1024} KiB")
    code = _decoded(text) if isinstance(text, bytes) else text.removeprefix("\ufeff")
    try:
        tree = _tree(code, name)
    except UnreadableError:
        plain = without_magics(code)
        if plain == code:
            raise
        tree, code = _tree(plain, name), plain
    return Source(name, tree, code.split("\n"))


def _notebook(content: bytes, name: str) -> Source:
    if len(content) > MOST_NOTEBOOK_BYTES:
        raise UnreadableError(f"{name} is larger than {MOST_NOTEBOOK_BYTES // 1024} KiB")
    try:
        cells = cells_of(content)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{name} is no notebook: {type(error).__name__}") from None
    if len(cells.code) > MOST_BYTES:
        raise UnreadableError(f"the code in {name} is larger than {MOST_BYTES // 1024} KiB")
    return Source(name, _tree(cells.code, name), cells.code.split("\n"), cells)


def _decoded(content: bytes) -> str:
    """Return a file as text, in the encoding that its first lines name."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding, "replace")
    except (SyntaxError, LookupError, ValueError):
        return content.decode("utf-8-sig", "replace")


def _tree(code: str, name: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except SyntaxError as error:
        raise UnreadableError(f"{name}:{error.lineno or 1}: no Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"{name} is no Python: {type(error).__name__}") from None


class Files:
    """The files of one source, found by module name and parsed once."""

    def __init__(self, main: Source, fetch: Callable[[str], bytes | None] | None = None, package: str = "") -> None:
        self.main = main
        self.package = package
        unread = main.cells.unread if main.cells else ()
        self.unreadable = [f"{main.name}, cell {number} is no Python" for number in unread]
        self._fetch = fetch
        self._parsed: dict[str, Source | None] = {}

    def module(self, dotted: str) -> Source | None:
        """Return the file of a module, or None where it is not of this source."""
        if self._fetch is None or not all(part.isidentifier() for part in dotted.split(".")):
            return None
        if dotted not in self._parsed and len(self._parsed) < MOST_FILES:
            self._parsed[dotted] = self._found(dotted.replace(".", "/"))
        return self._parsed.get(dotted)

    def _found(self, path: str) -> Source | None:
        for name in (f"{path}.py", f"{path}/__init__.py"):
            content = self._fetch(name) if self._fetch else None
            if content is None:
                continue
            try:
                return parse(content, name)
            except UnreadableError as error:
                self.unreadable.append(str(error))
        return None
