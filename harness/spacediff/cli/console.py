"""Print lines, texts and errors to the terminal, with secrets redacted and control characters replaced.

Titles, names and messages come from anywhere, and an escape sequence in one of them could write elsewhere on the
terminal, set its title or hide lines. All output goes through `printable`, and no text is markup.

A reader such as `head` may close the pipe early. Then further output is discarded and the command continues, so that
its exit code stays the same.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import textwrap
import traceback
from collections.abc import Iterator
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from spacediff import __version__
from spacediff.cli.encoding import spelled, spelled_json
from spacediff.errors import SpacediffError
from spacediff.privacy.redaction import redact_text
from spacediff.privacy.short_lines import printable, short_line

_LONGEST_LINE = 300
"""Characters of an untrusted text that are shown."""
_WIDE = 120
"""Smallest width of a table in a file or a pipe, so that names are not wrapped and can be searched for."""


class Terminal(Console):
    """A console for tables and styled lines; a text in brackets is a text. Options are those of Rich's console."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, "markup": False} | options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Lay out what is printed; only what Rich writes itself may control the terminal."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)

    def on_broken_pipe(self) -> None:
        """Continue without output."""
        self.quiet = True
        _discard_from_now_on(self.file)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts, redacted; on a terminal they are wrapped between words, elsewhere a line stays one.

        Texts in tables must be redacted before.
        """
        options.setdefault("soft_wrap", not self.is_terminal)
        super().print(*(_redacted(each) for each in objects), **options)

    def __exit__(self, *raised: object) -> None:
        """Write what was collected, as all printing and drawing does."""
        try:
            super().__exit__(*raised)
        except OSError as error:
            if not _reader_has_left(error, self.file):
                raise
            self.on_broken_pipe()

    def render_str(self, text: str, **options: Any) -> Text:
        """Lay a text out as it will be shown, so that the columns of a table fit."""
        return super().render_str(spelled(text, self.encoding), **options)


def wide_terminal() -> Terminal:
    """Return a console for tables: as wide as the terminal, and wide enough to be searched where there is none."""
    console = Terminal()
    if not console.is_terminal:
        console.width = max(console.width, _WIDE)
    return console


def _redacted(content: Any) -> Any:
    if not isinstance(content, str | Text):
        return content
    before = str(content)
    after = redact_text(before)
    if after == before:
        return content
    return after if isinstance(content, str) else Text(after, content.style)


def show_line(content: object, *, error: bool = False) -> None:
    """Print a line, redacted; errors and warnings go to standard error."""
    show_text(f"{redact_text(str(content))}\n", error=error)


def show_text(text: str, *, error: bool = False) -> None:
    """Print a text that was redacted before, as a record is."""
    stream = sys.stderr if error else sys.stdout
    with _reader_may_leave(stream):
        stream.write(printable(text))


def show_json(text: str) -> None:
    """Print a JSON text that was redacted before; it stays JSON in every encoding."""
    show_text(spelled_json(text, sys.stdout.encoding or "utf-8"))


def flush_output() -> None:
    """Write the buffered output, at the end of the program, when an error could not be handled any more."""
    for stream in (sys.stdout, sys.stderr):
        with _reader_may_leave(stream):
            stream.flush()


@contextlib.contextmanager
def _reader_may_leave(stream: IO[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not _reader_has_left(error, stream):
            raise
        _discard_from_now_on(stream)


def _reader_has_left(error: OSError, stream: IO[str]) -> bool:
    """Whether a write failed because the pipe or the terminal is closed; Windows calls that an invalid argument.

    https://github.com/python/cpython/issues/79935. Of a file, EIO is an error of its disk.
    """
    if error.errno == errno.EIO:
        return stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)
    return isinstance(error, BrokenPipeError) or error.errno == errno.EINVAL


def _discard_from_now_on(stream: IO[str]) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def show_error(error: SpacediffError) -> None:
    """Print an expected failure: its code (see docs/errors.md), what happened, and what to do."""
    console = Terminal(stderr=True)
    console.print(Text.assemble((f"error[{error.code}]: ", "bold red"), error.message))
    if error.hint:
        console.print(Text.assemble(("hint: ", "bold"), error.hint))


def show_internal_error() -> None:
    """Print the redacted traceback of the current exception, and ask for a report."""
    show_line(traceback.format_exc().rstrip(), error=True)
    show_line(f"internal error in spacediff {__version__}; please report the lines above", error=True)


def listed(console: Console, title: str, lines: list[str]) -> None:
    """Print a list with a title; nothing if it is empty."""
    if lines:
        console.print(Text(f"\n{title}", "bold"))
    for line in lines:
        console.print(Text(_indented(console, one_line(line))))


def _indented(console: Console, line: str) -> str:
    """Indent a line of a list; on a terminal it is wrapped, with a deeper indent, between words only."""
    if not console.is_terminal:
        return f"  {line}"
    return textwrap.fill(line, console.width, initial_indent="  ", subsequent_indent="      ",
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip


def one_line(text: str) -> str:
    """Turn an untrusted text into one short line without control characters and secrets."""
    return short_line(text, _LONGEST_LINE)
