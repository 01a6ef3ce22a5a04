"""Pasted code as far as it is Python: its small defects are repaired, and lines that are none are left out.

The key insight is that every line keeps its number, and that what was left out has to be named: a setting may stand
there. A placeholder `...` among arguments becomes an unknown `**_`, so that the call is known to have more arguments.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from spacediff.reading.notebooks import without_magics
from spacediff.reading.syntax import parsed

_MOST_PARSED = 2_000_000
"""Characters of one file that are parsed in all, each attempt counted."""
_MOST_LEFT_OUT = 60
"""Lines that are left out, one after another; the rest of the block is not read."""
_TYPESET = str.maketrans({
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'", "\u00a0": " ", "\u200b": " ",
    "\ufeff": " ", "\u2013": "-", "\u00d7": "*",
})  # fmt: skip
"""What word processors and browsers make of the characters of code; each becomes one character."""
_PROMPT = re.compile(r"(?:>>> ?|\.\.\.(?: |$)|In \[\d+\]: ?| +\.\.\.: ?)")
_FIRST_PROMPT = re.compile(r"(?:>>> |In \[\d+\]: )")
_PLACEHOLDER = re.compile(r"(?<=[,(\s])(?:\.\.\.|\u2026)(?=\s*[,)\n#]|$)")
_NOT_CODE = re.compile(r"(\"\"\"|\'\'\')(?:.|\n)*?\1|\"(?:\\.|[^\"\\\n])*\"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*")
"""Texts and comments."""
_HEADER = re.compile(r"expected an indented block .* on line (\d+)$")
_PROGRESS = re.compile(r"\d%\|.*\d/\d")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Repaired:
    """Code that was repaired.

    Attributes:
        code: Python, with the line numbers of the original.
        left_out: The numbers of the lines that were not read, from 1.
        part_read: The part of the lines, blank ones aside, that were read.
    """

    code: str
    left_out: tuple[int, ...]
    part_read: float


class Repairer:
    """Repairs the blocks of one file; what it may parse for that is limited."""

    def __init__(self) -> None:
        self._left = _MOST_PARSED

    def repaired(self, code: str) -> Repaired | None:
        """Return pasted code as far as it is Python; None if it does nothing as such, like a log or a traceback."""
        if "\0" in code:
            return None
        text = without_magics(_dedented(_without_output(_without_prompts(code.translate(_TYPESET)))))
        lines, left_out = self._parsed_part(text.split("\n"))
        tree = self._tree(lines)
        if not isinstance(tree, ast.Module) or not any(_does_something(statement) for statement in tree.body):
            return None
        total = sum(1 for line in text.split("\n") if line.strip())
        return Repaired("\n".join(lines), tuple(sorted(left_out)), 1 - len(left_out) / max(total, 1))

    def _parsed_part(self, lines: list[str]) -> tuple[list[str], set[int]]:
        """Return the lines with those that are not Python replaced by nothing, and the numbers of those."""
        left_out: set[int] = set()
        number = 1
        for _ in range(_MOST_LEFT_OUT):
            found = self._tree(lines)
            if isinstance(found, ast.Module):
                return lines, left_out
            better = self._mended(lines, found)
            if better is not None:
                lines = better
                continue
            number = _line_to_leave_out(lines, found)
            line = lines[number - 1]
            if not line.strip():
                break
            filler = "" if number in left_out else f"{line[: len(line) - len(line.lstrip())]}pass"
            lines = [*lines[: number - 1], filler, *lines[number:]]
            left_out.add(number)
        return self._beginning(lines, (number, min(left_out, default=1)), left_out)

    def _beginning(self, lines: list[str], ends: Iterable[int], left_out: set[int]) -> tuple[list[str], set[int]]:
        """Return the lines before the first of some ends that leaves Python, and the numbers of those not read."""
        heads = (lines[: end - 1] for end in ends)
        head = next((one for one in heads if isinstance(self._tree(one), ast.Module)), [])
        rest = range(len(head) + 1, len(lines) + 1)
        unread = {row for row in rest if row in left_out or lines[row - 1].strip()}
        return [*head, *[""] * len(rest)], unread | {row for row in left_out if row <= len(head)}

    def _mended(self, lines: list[str], error: SyntaxError) -> list[str] | None:
        """Return the lines with placeholders, or with a truncated end closed; None if neither makes them better."""
        replaced = [_PLACEHOLDER.sub("**_", line) for line in lines]
        if replaced != lines:
            found = self._tree(replaced)
            if isinstance(found, ast.Module) or (found.lineno or 0) > (error.lineno or 0):
                return replaced
        if "never closed" in (error.msg or "") or "EOF" in (error.msg or ""):
            return next((made for made in _closed_ends(lines) if isinstance(self._tree(made), ast.Module)), None)
        return None

    def _tree(self, lines: list[str]) -> ast.Module | SyntaxError:
        code = "\n".join(lines)
        self._left -= len(code)
        if self._left < 0:
            return SyntaxError("too large")
        try:
            return parsed(code)
        except SyntaxError as error:
            return error
        except (ValueError, RecursionError, MemoryError):
            return SyntaxError("not Python")


def _line_to_leave_out(lines: list[str], error: SyntaxError) -> int:
    """Return the number of the line that is at fault: for a missing body, that of its header."""
    header = _HEADER.search(error.msg or "")
    number = min(int(header[1]) if header else max(error.lineno or 1, 1), len(lines))
    while number > 1 and not lines[number - 1].strip():  # the end of the file
        number -= 1
    return number


def _without_prompts(code: str) -> str:
    """Replace what a session prints by blank lines, and take the prompts off the others."""
    lines = code.split("\n")
    if not any(_FIRST_PROMPT.match(line.lstrip()) for line in lines):
        return code
    found = [(_PROMPT.match(line.lstrip()), line.lstrip()) for line in lines]
    return "\n".join(line[prompt.end() :] if prompt else "" for prompt, line in found)


def _without_output(code: str) -> str:
    """Replace tracebacks and progress bars, which say nothing about the code, by blank lines."""
    lines = code.split("\n")
    in_traceback = False
    for number, line in enumerate(lines):
        starts = line.lstrip().startswith("Traceback (most recent call last)")
        is_last = in_traceback and not starts and bool(line.strip()) and not line[0].isspace()
        if starts or in_traceback or _PROGRESS.search(line):
            lines[number] = ""
        in_traceback = starts or (in_traceback and not is_last)
    return "\n".join(lines)


def _dedented(code: str) -> str:
    """Take a uniform indentation off; that of all lines but the first is a slip in what was selected."""
    text = textwrap.dedent(code)
    first, _, rest = text.partition("\n")
    if first[:1].strip() and not first.rstrip().endswith((":", "(", "[", "{", ",", "\\")) and _is_indented(rest):
        return f"{first}\n{textwrap.dedent(rest)}"
    return text


def _is_indented(text: str) -> bool:
    rows = [line for line in text.split("\n") if line.strip()]
    return bool(rows) and all(line[0].isspace() for line in rows)


def _closed_ends(lines: list[str]) -> Iterable[list[str]]:
    """Yield the lines with their open brackets closed at the end, of which the last lines may be missing."""
    rows = [number for number, line in enumerate(lines) if line.strip()]
    for last in reversed(rows[-3:]):
        head = lines[: last + 1]
        closing = "".join(_CLOSING[bracket] for bracket in reversed(_open_brackets("\n".join(head))))
        if not closing:
            continue
        whole = head[-1].rstrip()
        rest = [""] * (len(lines) - last - 1)
        for end in (whole, whole.rpartition(",")[0]):
            comma = "" if end.endswith((",", "(", "[", "{")) else ","
            if closing[0] in {")", "}"}:
                yield [*head[:-1], f"{end}{comma}**_{closing}", *rest]
            yield [*head[:-1], f"{end}{closing}", *rest]


def _open_brackets(code: str) -> list[str]:
    """Return the brackets that are still open at the end, those in comments and texts aside."""
    stack: list[str] = []
    for letter in _NOT_CODE.sub("", code):
        if letter in _CLOSING:
            stack.append(letter)
        elif letter in _CLOSING.values() and stack:
            stack.pop()
    return stack


def _does_something(statement: ast.stmt) -> bool:
    """Return whether a statement is one that code has and prose does not: it binds a name or calls something."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call | ast.Await)
    return not isinstance(statement, ast.AnnAssign | ast.Pass)
