"""A console that may lose its reader and tells no secrets, and strangers' texts as lines that move no cursor."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

from rich.console import Console
from rich.text import Text

from spacediff.errors import SpacediffError
from spacediff.privacy.redaction import redact_text

_LONGEST_LINE = 300
"""Characters of a read text that are shown."""


class Terminal(Console):
    """A console that falls silent when nobody reads on: the exit code still tells what came out."""

    def on_broken_pipe(self) -> None:
        """Go on without a reader."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts redacted; a table's were on their way into the record."""
        super().print(*(_redacted(each) for each in objects), **options)


def _redacted(told: Any) -> Any:
    if not isinstance(told, str | Text):
        return told
    before = str(told)
    after = redact_text(before)
    if after == before:
        return told
    return after if isinstance(told, str) else Text(after, told.style)


def say(told: object, *, trouble: bool = False) -> None:
    """Print a line as it stands, but redacted; trouble goes to standard error."""
    print(redact_text(str(told)), file=sys.stderr if trouble else sys.stdout)


def say_traceback() -> None:
    """Print the traceback of the error that is being handled, redacted."""
    say(traceback.format_exc().rstrip(), trouble=True)


def show_error(error: SpacediffError) -> None:
    """Print an expected failure as one paragraph: its code (see docs/errors.md), what happened, and what to do."""
    console = Terminal(stderr=True, highlight=False)
    console.print(Text.assemble((f"error[{error.code}]: ", "bold red"), error.message), soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("hint: ", "bold"), error.hint), soft_wrap=True)


def listed(console: Console, title: str, lines: list[str]) -> None:
    """Print a titled list; nothing when it is empty."""
    if lines:
        console.print(Text(f"\n{title}", "bold"))
    for line in lines:
        console.print(Text(f"  {one_line(line)}"), soft_wrap=True)


def one_line(text: str) -> str:
    """Return a stranger's text as one bounded line that moves no cursor and tells no secret."""
    line = "".join(character if character.isprintable() else " " for character in redact_text(text))
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
