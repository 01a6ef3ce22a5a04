"""Edit the text of a script at positions of its syntax tree, and write the change as a patch.

Positions of `ast` count bytes of UTF-8 in a line. Here they become offsets in the text, so that everything that is not
edited stays as it was: byte order mark, line ends, tabs, a missing last line end.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_BOM = "\ufeff"


class NotEditableError(Exception):
    """A text that cannot be edited safely; the message says why."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement for the text from `start` to `end`."""

    start: int
    end: int
    text: str


class Script:
    """The text of a Python file, with its syntax tree.

    Args:
        content: The file.

    Raises:
        NotEditableError: It is not UTF-8 or not Python, or some of its lines end in a carriage return alone.
    """

    def __init__(self, content: bytes) -> None:
        try:
            whole = content.decode("utf-8")
            self.text = whole.removeprefix(_BOM)
            self.tree = ast.parse(self.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise NotEditableError(f"it is not Python in UTF-8: {type(error).__name__}") from error
        if re.search(r"\r(?!\n)", self.text):
            raise NotEditableError("some of its lines end in a carriage return alone")
        self._bom = whole[: len(whole) - len(self.text)]
        self._starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        self.line_end = "\r\n" if "\r\n" in self.text else "\n"

    def place(self, line: int, column: int) -> int:
        """Return the offset of a line, counted from 1, and a column in bytes."""
        start = self._starts[line - 1]
        return start + len(self._line(line).encode()[:column].decode("utf-8", "ignore"))

    def _line(self, line: int) -> str:
        """Return a line without its line end."""
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def _end_of_line(self, line: int) -> int:
        return self._starts[line - 1] + len(self._line(line))

    def _indent(self, line: int) -> str:
        found = re.match(r"[ \t]*", self._line(line))
        return found[0] if found else ""

    def nodes(self) -> Iterator[ast.AST]:
        """Yield all nodes except those inside f-strings, whose positions are not exact."""
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            yield node
            if not isinstance(node, ast.JoinedStr):
                waiting.extend(reversed(list(ast.iter_child_nodes(node))))

    def expressions_on(self, line: int) -> Iterator[ast.expr]:
        """Yield the expressions that begin on a line."""
        return (node for node in self.nodes() if isinstance(node, ast.expr) and node.lineno == line)

    def statement_of(self, inner: ast.expr) -> ast.stmt | None:
        """Return the innermost statement around an expression."""
        start, end = self._span(inner)
        found = [node for node in self.nodes() if isinstance(node, ast.stmt) and self._contains(node, start, end)]
        return found[-1] if found else None

    def function_of(self, inner: ast.expr) -> ast.stmt | None:
        """Return the innermost named function around an expression; None at the level of the file."""
        start, end = self._span(inner)
        functions = [node for node in self.nodes() if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        around = [node for node in functions if self._contains(node, start, end)]
        return around[-1] if around else None

    def _contains(self, node: ast.stmt, start: int, end: int) -> bool:
        outer = self._span(node)
        return outer[0] <= start and end <= outer[1]

    def source_of(self, node: ast.expr) -> str:
        """Return the text of a node."""
        start, end = self._span(node)
        return self.text[start:end]

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        return (
            self.place(node.lineno, node.col_offset),
            self.place(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
        )

    def replaced(self, node: ast.expr, text: str) -> Edit:
        """Return the edit that replaces the text of a node."""
        return Edit(*self._span(node), text)

    def method_replaced(self, call: ast.Call, text: str) -> Edit:
        """Return the edit that replaces the method of a call, with its arguments."""
        _, end = self._span(call)
        owner_end = self._span(call.func.value)[1] if isinstance(call.func, ast.Attribute) else end
        return Edit(self.text.index(".", owner_end) + 1, end, text)

    def line_after(self, node: ast.stmt, code: str) -> Edit:
        """Return the edit that adds a line after a statement, with the same indentation."""
        place = self._end_of_line(node.end_lineno or node.lineno)
        return Edit(place, place, f"{self.line_end}{self._indent(node.lineno)}{code}")

    def line_before(self, node: ast.stmt, code: str) -> Edit:
        """Return the edit that adds a line before a statement, with the same indentation."""
        place = self._starts[node.lineno - 1]
        return Edit(place, place, f"{self._indent(node.lineno)}{code}{self.line_end}")

    def with_keyword(self, call: ast.Call, argument: str) -> list[Edit]:
        """Return the edits that add an argument to a call, in the layout of its other arguments."""
        closing = self._span(call)[1] - 1
        before = [token for token in self._tokens() if token[1] <= closing]
        if not before:
            return []
        text, end, line = before[-1]
        if text == "(":
            return [Edit(end, end, argument)]
        given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
        last = max(given, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0))
        own_line = line != (call.end_lineno or line)
        if own_line:
            place = self._end_of_line(line)
            comma = [] if text == "," else [Edit(end, end, ",")]
            return [*comma, Edit(place, place, f"{self.line_end}{self._indent(last.lineno)}{argument},")]
        return [Edit(end, end, f" {argument}" if text == "," else f", {argument}")]

    def _tokens(self) -> Iterator[tuple[str, int, int]]:
        """Yield text, end offset and last line of every token that is code."""
        silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
        for token in tokenize.generate_tokens(io.StringIO(self.text, newline="").readline):
            if token.type not in silent:
                yield token.string, self._starts[token.end[0] - 1] + token.end[1], token.end[0]

    def edited(self, edits: Iterable[Edit]) -> bytes:
        """Return the file after some edits.

        Raises:
            NotEditableError: Two edits overlap.
        """
        ordered = sorted(enumerate(edits), key=lambda each: (each[1].start, each[0]))
        pieces, done = [self._bom], 0
        for _, edit in ordered:
            if edit.start < done:
                raise NotEditableError("two edits overlap")
            pieces += [self.text[done : edit.start], edit.text]
            done = edit.end
        return "".join([*pieces, self.text[done:]]).encode()


def unified_diff(name: str, before: bytes, after: bytes) -> str:
    """Return the patch from one UTF-8 text to another, for `patch -p0` and `git apply`; empty if they are equal.

    Args:
        name: The file's name, without its folder.
        before: Its present content.
        after: Its new content.
    """
    quoted = _quoted(name)
    old, new = (_lines(text.decode("utf-8")) for text in (before, after))
    lines = difflib.unified_diff(old, new, quoted, quoted)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Split at line feeds alone, as patch does; `splitlines` splits at more."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _quoted(name: str) -> str:
    """Return a file name as patches write it: quoted if it has characters that would end it."""
    if any(letter in '"\\' or ord(letter) < ord(" ") or letter == "\x7f" for letter in name):
        inner = "".join(
            f"\\{letter}" if letter in '"\\' else letter if letter.isprintable() else _octal(letter) for letter in name
        )
        return f'"{inner}"'
    return f"{name}\t" if " " in name else name


def _octal(letter: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in letter.encode("utf-8", "surrogateescape"))
