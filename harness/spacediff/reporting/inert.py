"""Inert Markdown: an untrusted text as a GitHub issue shows it, and nothing else.

The key insight: GitHub looks for mentions, issue numbers, addresses and commits in the text that it has drawn, where no
backslash helps, but never inside code. So whatever is not plainly a word is put in a code span.
"""

from __future__ import annotations

import re
from itertools import groupby

from spacediff.privacy.short_lines import shortened

MOST = 600
"""Characters of one text; what is longer is cut, and says so."""

_LETTERS = r"[^\W\d_]+(?:[-'][^\W\d_]+)*"
_NUMBER = r"[-−]?\d{1,6}(?:[.,]\d{1,6})?%?"  # noqa: RUF001 - a minus sign, as numbers are written here
_PLAIN = re.compile(rf"\(?(?:{_LETTERS}|{_NUMBER})\)?[,;:.?]?|[=·–—≥≤∞]")  # noqa: RUF001
_AT_THE_START = re.compile(_LETTERS + r"[,;:.?]?")


def code(text: str, most: int = MOST) -> str:
    """Return a text as a code span on one line, fit for a table cell too; a dash for none."""
    line = shortened(" ".join(text.split()), most)
    if not line:
        return "—"
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def cell(text: str, most: int = MOST) -> str:
    """Return a text as a code span in a table cell, where a pipe would end the cell."""
    return code(text, most).replace("|", "\\|")


def prose(text: str, most: int = MOST) -> str:
    """Return a sentence in which everything but plain words is in code spans."""
    words = shortened(" ".join(text.split()), most).split(" ")
    plain = [bool((_PLAIN if n else _AT_THE_START).fullmatch(word)) for n, word in enumerate(words)]
    parts = []
    for is_plain, stretch in groupby(zip(plain, words, strict=True), key=lambda pair: pair[0]):
        joined = " ".join(word for _, word in stretch)
        parts.append(joined if is_plain or not joined else code(joined, most))
    return " ".join(parts)


def fenced(text: str, language: str = "console") -> str:
    """Return a text as a block of code."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
