"""Texts of strangers as short lines."""

from __future__ import annotations

from spacediff.hub.space_errors import plain
from spacediff.privacy.short_lines import one_line, short_line

TOKEN = "hf_" + "a" * 20


def test_a_line_is_printable_short_and_without_secrets() -> None:
    line = one_line(f"\x1b[2J it said\n{TOKEN}\u202e")
    assert line.isprintable()
    assert TOKEN not in line
    assert (short_line("abc", 3), short_line("abcd", 3)) == ("abc", "ab…")


def test_what_a_space_says_is_a_line_without_markup_and_secrets() -> None:
    found = plain(f"a <b>bad</b>\n\ttoken {TOKEN}\x1b")
    assert found.startswith("a bad token ")
    assert TOKEN not in found
    assert plain("a " * 300, 10) == "a a a a a…"
