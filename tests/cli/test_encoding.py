"""Every text can be printed on a console of any encoding."""

from __future__ import annotations

import errno
import io
import json
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacediff.cli import console
from spacediff.cli.console import Terminal, show_json, show_line
from spacediff.cli.encoding import prepare_output, spelled, spelled_json


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "∞ → a·b … “手”"),
        ("cp1252", r"inf -> a·b … “\u624b”"),
        ("cp437", r'∞ -> a·b ... "\u624b"'),
        ("ascii", r'inf -> a-b ... "\u624b"'),
    ],
)
def test_signs_are_spelled_and_other_characters_escaped(encoding: str, shown: str) -> None:
    assert spelled("∞ → a·b … “手”", encoding) == shown


@given(st.text(st.characters(exclude_categories=())), st.sampled_from(["ascii", "cp1252", "cp437", "cp932", "utf-8"]))
def test_any_text_can_be_shown(text: str, encoding: str) -> None:
    spelled(text, encoding).encode(encoding)


@given(st.text())
def test_json_keeps_its_value(text: str) -> None:
    value = {text: [text]}
    shown = spelled_json(json.dumps(value, ensure_ascii=False), "cp1252")
    assert json.loads(shown.encode("cp1252").decode("cp1252")) == value


def ascii_output(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """Print to an output in ASCII that refuses all else; return what arrives there."""
    written = io.BytesIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(written, encoding="ascii", write_through=True))
    return written


def test_output_that_refused_a_character_accepts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    written = ascii_output(monkeypatch)
    with pytest.raises(UnicodeEncodeError):
        show_line("∞")
    prepare_output()
    show_line("∞ 手")
    show_json('{"text": "😀"}\n')
    show_line("à", error=True)
    assert written.getvalue().splitlines() == [rb"inf \u624b", rb'{"text": "\ud83d\ude00"}', rb"\xe0"]


def test_the_columns_of_a_table_fit_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.table import Table

    written = ascii_output(monkeypatch)
    prepare_output()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    for row in (("∞", "x"), ("30.66", "y")):
        table.add_row(*row)
    Terminal(width=40).print(table)
    assert [line.rstrip() for line in written.getvalue().splitlines()] == [b"  inf  x", b"30.66  y"]


class ClosedPipe(io.RawIOBase):
    """A pipe whose reader has left, as Windows reports it."""

    def __init__(self, error: int) -> None:
        self._error = error

    def writable(self) -> bool:
        return True

    def write(self, _content: object) -> int:
        raise OSError(self._error, os.strerror(self._error))

    def fileno(self) -> int:
        return 1


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EPIPE])
def test_a_reader_that_left_is_noticed_on_every_system(error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(ClosedPipe(error)), write_through=True))
    discarded: list[object] = []
    monkeypatch.setattr(console, "_discard_from_now_on", discarded.append)
    show_line("x" * 10_000)
    Terminal().print("x" * 10_000)
    assert discarded == [sys.stdout] * 2
