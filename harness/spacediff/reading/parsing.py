"""Source files as syntax trees, with bounds on their size, their number and their nesting."""

from __future__ import annotations

import ast
import io
import posixpath
import sys
import tokenize
from collections.abc import Callable
from dataclasses import dataclass, field

from spacediff.reading.commands import Command
from spacediff.reading.notebooks import MOST_NOTEBOOK_BYTES, Cells, cells_of, without_magics
from spacediff.reading.syntax import parsed

MOST_BYTES = 1024 * 1024
"""Largest source file that is read; the largest demos have a tenth of it."""

MOST_FILES = 64
"""Files of one source that are read at most."""

_MOST_LOOKED_FOR = 1000
"""Modules of one source that are looked for at most; most of them belong to libraries."""

_DATA_ENDINGS = (".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".txt")
"""Ends of the names of files that a source may read; others are not opened."""
_MOST_DATA_FILES = 16
_MOST_DATA_BYTES = 256 * 1024
_LONGEST_PATH = 500
_LONGEST_WORDS = 160
"""Characters of the text of a node."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file.

    Attributes:
        name: Its path within the source, as it is shown.
        tree: Its syntax tree.
        lines: Its text.
        cells: Where its cells begin if it is a notebook.
    """

    name: str
    tree: ast.Module
    lines: list[str] = field(repr=False)
    cells: Cells | None = None
    _encoded: dict[int, bytes] = field(default_factory=dict, repr=False, compare=False)

    def place(self, line: int) -> str:
        """Return file and line; for a notebook with the cell."""
        return f"{self.name}, {self.cells.place(line)}" if self.cells else f"{self.name}:{line}"

    def words(self, node: ast.AST) -> str:
        """Return the text of a node, at most its first line."""
        number = getattr(node, "lineno", 0)
        if not 0 < number <= len(self.lines):
            return ""
        if number not in self._encoded:
            self._encoded[number] = self.lines[number - 1].encode("utf-8", "replace")
        start = getattr(node, "col_offset", 0)
        end = getattr(node, "end_col_offset", None) if getattr(node, "end_lineno", 0) == number else None
        line = self._encoded[number][start:end][: 4 * _LONGEST_WORDS]  # at most 4 bytes for a character
        text = line.decode("utf-8", "ignore").strip()
        return (text if end is not None else f"{text} …")[:_LONGEST_WORDS]


class UnreadableError(Exception):
    """A file that cannot be parsed; the message says which and why, and `hint_for` what to do."""


_HINTS = {
    "is larger than": f"Python up to {MOST_BYTES // 1024} KiB is read, in scripts, notebooks and blocks of Markdown",
    "is not a notebook": "save it in Jupyter again, or name a script",
    "has no code block": "Python is read from the code blocks of Markdown, which begin with ```",
    "null bytes": "name a script, a notebook or a Markdown file",
    "not Python": "correct it: Python {} cannot run it as it is".format(".".join(map(str, sys.version_info[:2]))),
    "nested too deeply": "name the file that calls the pipeline",
}
"""Words of the message of an `UnreadableError`, and what to do; the first that fit count."""


def hint_for(said: str) -> str:
    """Return what to do about a file that cannot be parsed; empty where that is not said of a file.

    Args:
        said: The message of the `UnreadableError`.
    """
    return next((hint for words, hint in _HINTS.items() if words in said), "")


def parse(text: str | bytes, name: str) -> Source:
    """Parse a file; lines of IPython, such as `!pip install`, are left out.

    Raises:
        UnreadableError: It is too large, or not Python.
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
    except RecursionError:
        raise UnreadableError(f"{name} is not a notebook: its JSON is nested too deeply") from None
    except ValueError as error:
        raise UnreadableError(f"{name} is not a notebook: {error}") from None
    if len(cells.code) > MOST_BYTES:
        raise UnreadableError(f"the code in {name} is larger than {MOST_BYTES // 1024} KiB")
    return Source(name, _tree(cells.code, name), cells.code.split("\n"), cells)


def _decoded(content: bytes) -> str:
    """Decode a file in the encoding that its first lines name."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding, "replace")
    except (SyntaxError, LookupError, ValueError):
        return content.decode("utf-8-sig", "replace")


def _tree(code: str, name: str) -> ast.Module:
    try:
        return parsed(code)
    except SyntaxError as error:
        raise UnreadableError(f"{name}:{error.lineno or 1}: not Python: {error.msg}") from None
    except ValueError:
        raise UnreadableError(f"{name} is not Python: it contains null bytes") from None
    except (RecursionError, MemoryError):
        raise UnreadableError(f"{name} is not read: its expressions are nested too deeply") from None


class Files:
    """The files of one source, found by module name; each is parsed once.

    Attributes:
        main: The file that is followed first.
        package: The folder that is imported from, if it is not that of the main file.
        command: The command that runs the main file; None if it is unknown.
        unreadable: Why files could not be parsed, one sentence each.
    """

    def __init__(
        self,
        main: Source,
        fetch: Callable[[str], bytes | None] | None = None,
        package: str = "",
        command: Command | None = None,
    ) -> None:
        self.main = main
        self.command = command
        self.package = package
        unread = main.cells.unread if main.cells else ()
        self.unreadable = [f"{main.name}, cell {number} is not Python" for number in unread]
        self._fetch = fetch
        self._parsed: dict[str, Source | None] = {}
        self._data: dict[str, str | None] = {}

    def module(self, dotted: str) -> Source | None:
        """Return the file of a module; None if it does not belong to this source."""
        if self._fetch is None or not all(part.isidentifier() for part in dotted.split(".")):
            return None
        found = sum(one is not None for one in self._parsed.values())
        if dotted not in self._parsed and found < MOST_FILES and len(self._parsed) < _MOST_LOOKED_FOR:
            self._parsed[dotted] = self._found(dotted.replace(".", "/"))
        return self._parsed.get(dotted)

    def _found(self, path: str) -> Source | None:
        for name in (f"{path}/__init__.py", f"{path}.py"):
            content = self._fetch(name) if self._fetch else None
            if content is None:
                continue
            try:
                return parse(content, name)
            except UnreadableError as error:
                self.unreadable.append(str(error))
        return None

    def data(self, path: str) -> str | None:
        """Return the text of a file that the source reads, such as its configuration.

        Args:
            path: Its path from the folder of the main file.

        Returns:
            None if there is no such file in that folder, if its name has another ending, or if a bound is reached.
        """
        name = posixpath.normpath(path)
        outside = name.startswith(("/", "..")) or len(name) > _LONGEST_PATH
        if self._fetch is None or outside or not name.endswith(_DATA_ENDINGS):
            return None
        if name not in self._data and len(self._data) < _MOST_DATA_FILES:
            content = self._fetch(name)
            fits = content is not None and len(content) <= _MOST_DATA_BYTES
            self._data[name] = content.decode("utf-8-sig", "replace") if content is not None and fits else None
        return self._data.get(name)
