"""Markdown files, such as a bug report saved from GitHub: their code blocks, each at its lines of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from markdown_it import MarkdownIt

from spacediff.reading.repairs import Repaired, Repairer

BlockKind = Literal["python", "shell", "other"]

_PYTHON = frozenset(
    {"python", "py", "python3", "py3", "ipython", "ipython3", "pycon", "python-repl", "jupyter", "python2"}
)
_SHELL = frozenset({"bash", "sh", "shell", "zsh", "console", "shell-session", "shellsession", "terminal", "cmd", "bat",
                    "powershell", "ps1", "batch", "fish"})  # fmt: skip
_UNNAMED = frozenset({"", "text", "txt", "plain", "plaintext", "code", "none"})
"""What is written where a block's language should be and says nothing about it."""
_COMMAND = re.compile(
    r"\s*(?:[$%#>]\s+)?(?:\w+=\S*\s+)*(?:python[\d.]*|accelerate|torchrun|uv|poetry|pdm|deepspeed|sudo|pip\d?|git|cd|conda|"
    r"export|huggingface-cli|hf|wget|docker|set)\s+\S"
)
_TAG = re.compile(r"\s*</?(?:details|summary|p|br|div|h\d)\b", re.IGNORECASE)
"""A line of HTML; people leave out the blank line after it without which a fence is no fence."""
_IMPORT = re.compile(r"import [\w.]+|from [\w.]+ import ")
_CODE_IN_INFO = re.compile(r"(?:import [\w.]+|from [\w.]+ import )[^`]*$")
"""The first line of a block whose fence has no line of its own."""
_FENCE = re.compile(r"[\s>*+-]*(?:```|~~~)")
_MOST_INLINE = 50_000
"""Characters of a text in which commands are looked for."""
_MOST_BLOCKS = 64
_LEAST_READ = 0.5
"""The part of an unnamed block's lines that has to be Python for the block to be Python."""


@dataclass(frozen=True, slots=True)
class Block:
    """A code block.

    Attributes:
        line: The line of the file at which its code begins, from 1.
        code: Its text; its n-th line is line `line + n` of the file.
        kind: What it holds.
        python: Its code as far as it is Python; None for another kind.
    """

    line: int
    code: str
    kind: BlockKind
    python: Repaired | None = None


def is_markdown(name: str) -> bool:
    """Return whether a file is Markdown, by its name."""
    return name.lower().endswith((".md", ".markdown"))


def blocks_of(text: str) -> list[Block]:
    """Return the code blocks of a Markdown file, in order; those in comments are left out."""
    found: list[Block] = []
    repairer = Repairer()
    lines = ["" if _TAG.match(line) else line for line in re.split("\r\n|\r|\n", text)]
    bare = _without_fence(lines, repairer)
    if bare is not None:
        return [bare]
    for line, info, code in _fences("\n".join(lines)):
        if code.strip() and len(found) < _MOST_BLOCKS:
            found.append(_classified(line, info, code, repairer))
    return found or list(_inline_commands("\n".join(lines)))


def _inline_commands(text: str) -> Iterator[Block]:
    """Yield the commands that stand in the text, as in: run `python run.py --steps 30`."""
    for token in MarkdownIt("commonmark").parse(text[:_MOST_INLINE]):
        for part in token.children or ():
            if part.type == "code_inline" and _COMMAND.match(part.content):
                yield Block(token.map[0] + 1 if token.map else 1, part.content, "shell")


def _without_fence(lines: list[str], repairer: Repairer) -> Block | None:
    """Return the code of a file that was pasted without any fence, from its first import on; None if it is none."""
    start = next((number for number, line in enumerate(lines) if _IMPORT.match(line)), None)
    if start is None or any(_FENCE.match(line) for line in lines):
        return None
    code = "\n".join(lines[start:])
    python = repairer.repaired(code)
    return Block(start + 1, code, "python", python) if python and python.part_read >= _LEAST_READ else None


def _fences(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield first line, language and code of each block."""
    for token in MarkdownIt("commonmark").disable("inline").parse(text):
        start = token.map[0] if token.map else 0
        if token.type == "fence" and (code := _CODE_IN_INFO.search(token.info)):
            yield start + 1, "", f"{code[0]}\n{token.content}"
        elif token.type == "fence":
            yield start + 2, _language(token.info), token.content
        elif token.type == "code_block":
            yield start + 1, "", token.content


def _language(info: str) -> str:
    """Return the first word of an info string: `python` for ```` ```{.python title="a"} ````."""
    word = re.search(r"[\w+#-]+", info)
    return word[0].lower() if word else ""


def _classified(line: int, language: str, code: str, repairer: Repairer) -> Block:
    if language in _SHELL:
        return Block(line, code, "shell")
    if language not in _PYTHON and language not in _UNNAMED:
        return Block(line, code, "other")
    python = repairer.repaired(code)
    if language in _UNNAMED and (python is None or python.part_read < _LEAST_READ):
        first = next(row for row in code.split("\n") if row.strip())
        return Block(line, code, "shell" if _COMMAND.match(first) else "other")
    if python is None and _COMMAND.match(code):
        return Block(line, code, "shell")
    return Block(line, code, "python", python) if python else Block(line, code, "other")
