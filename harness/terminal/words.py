"""A console that may lose its reader, and strangers' texts as lines that move no cursor."""

from __future__ import annotations

import os

from rich.console import Console
from rich.text import Text

from harness.errors import SpacediffError
from harness.redaction import redact_text

_LONGEST_LINE = 300
"""Characters of a read text that are shown."""


class Terminal(Console):
    """A console that falls silent when nobody reads on: the exit code still tells what came out."""

    def on_broken_pipe(self) -> None:
        """Go on without a reader."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def show_error(error: SpacediffError) -> None:
    """Print an expected failure as one paragraph."""
    console = Terminal(stderr=True, highlight=False)
    console.print(Text.assemble(("error: ", "bold red"), redact_text(error.message)), soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("hint: ", "bold"), redact_text(error.hint)), soft_wrap=True)


def listed(console: Console, title: str, lines: list[str]) -> None:
    """Print a titled list; nothing when it is empty."""
    if lines:
        console.print(Text(f"\n{title}", "bold"))
    for line in lines:
        console.print(Text(f"  {one_line(line)}"), soft_wrap=True)


def one_line(text: str) -> str:
    """Return a stranger's text as one bounded line that moves no cursor."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
