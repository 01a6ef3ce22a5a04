"""Source files as trees: bounded in size, in number and in depth, whatever their bytes."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

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
    if len(text) > MOST_BYTES:
        raise UnreadableError(f"{name} is larger than {MOST_BYTES // 1024} KiB")
    code = text.decode("utf-8-sig", "replace") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except SyntaxError as error:
        raise UnreadableError(f"{name}:{error.lineno or 1}: no Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"{name} is no Python: {type(error).__name__}") from None
    return Source(name, tree, code.split("\n"))


class Files:
    """The files of one source, found by module name and parsed once."""

    def __init__(self, main: Source, fetch: Callable[[str], bytes | None] | None = None, package: str = "") -> None:
        self.main = main
        self.package = package
        self.unreadable: list[str] = []
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
