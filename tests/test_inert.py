from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.reporting.inert import cell, code, fenced, prose, shortened

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
NASTY = [
    *("@octocat", "#12", "GH-12", "org/repo#3", "<script>alert(1)</script>", "<b>", "</details>", "<!--", "-->"),
    *("|", "\\", "\\|", "`", "``", "```", "~~~", "\n", "\n\n", "\r\n", "\t", "http://evil.example"),
    *("www.evil.example", "a@b.example", "[x](http://evil.example)", "![x](y)", "<http://evil.example>", "**b**"),
    *("__b__", "*", "_", "~~s~~", "# ", "> ", "- ", "1. ", "1)", "---", "===", "    ", "&lt;b&gt;", "&#64;octocat"),
    *("$x$", ":tada:", "0123456789abcdef0123456789abcdef01234567", "{{ 7 * 7 }}", "{% raw %}"),
    *("[ref]: http://evil.example", "as-hosted", "drift", "0.665", "É", "日本"),
]
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(NASTY),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6),
        st.just(" "),
    ),
    max_size=8,
).map("".join)
NOTICED = re.compile(r"[@#<>$`|\\\[\]*_~&:]\S|://|\bwww\.|\bGH-\d|\b[0-9a-f]{7,}\b|@|#")
"""What GitHub makes something of in a text that is not code."""


def kinds(markdown: str) -> set[str]:
    """The types of all tokens that a Markdown text draws."""
    tokens = RENDERER.parse(markdown)
    return {each.type for each in tokens} | {child.type for each in tokens for child in each.children or []}


def plain_texts(markdown: str) -> list[str]:
    tokens = RENDERER.parse(markdown)
    return [child.content for each in tokens for child in each.children or [] if child.type == "text"]


PARAGRAPH = {"paragraph_open", "paragraph_close", "inline", "text", "code_inline"}


@given(TEXTS)
def test_a_sentence_stays_a_sentence(text: str) -> None:
    drawn = f"It says: {prose(text)}"
    assert kinds(drawn) <= PARAGRAPH
    assert not any(NOTICED.search(part) for part in plain_texts(drawn)[1:] or plain_texts(drawn[9:]))


@given(TEXTS)
def test_a_heading_and_a_list_keep_their_shape(text: str) -> None:
    assert kinds(f"### {prose(text) or 'none'}") <= {"heading_open", "heading_close", "inline", "text", "code_inline"}
    assert kinds(f"- {prose(text) or 'none'}") <= PARAGRAPH | {
        "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
    }  # fmt: skip


@given(TEXTS)
def test_code_shows_the_very_text_on_one_line(text: str) -> None:
    (inline,) = (each for each in RENDERER.parse(f"x {code(text)}") if each.type == "inline")
    line = shortened(" ".join(text.split()), 600)
    shown = [child.content for child in inline.children or [] if child.type == "code_inline"]
    assert shown == ([line] if line else [])


@given(TEXTS, TEXTS)
def test_a_cell_is_one_cell(one: str, other: str) -> None:
    drawn = f"| a | b |\n|---|---|\n| {cell(one)} | {cell(other)} |\n"
    tokens = RENDERER.parse(drawn)
    cells = [tokens[n + 1] for n, each in enumerate(tokens) if each.type == "td_open"]
    assert len(cells) == 2
    for each, text in zip(cells, (one, other), strict=True):
        line = " ".join(text.split())
        assert [child.type for child in each.children or []] == ["code_inline" if line else "text"]
        if line:
            assert (each.children or [])[0].content == line


@given(TEXTS)
def test_a_fence_holds_what_is_in_it(text: str) -> None:
    tokens = RENDERER.parse(fenced(" ".join(text.split())))
    assert [each.type for each in tokens] == ["fence"]


@pytest.mark.parametrize("text", ["<b>x</b>", "[x](http://evil.example)", "**b**", "`c"])
def test_the_same_texts_do_draw_something_when_they_are_not_made_inert(text: str) -> None:
    assert not kinds(f"It says: {text}") <= PARAGRAPH or NOTICED.search(text)
    assert kinds(f"It says: {prose(text)}") <= PARAGRAPH


def test_words_stay_words_and_the_rest_is_code() -> None:
    assert prose("drift 1.125 is as far as the nearest other seed (1.020)") == (
        "drift 1.125 is as far as the nearest other seed (1.020)"
    )
    assert prose("call.guidance_scale = 7.0 was told by @octocat in #12") == (
        "`call.guidance_scale` = 7.0 was told by `@octocat` in `#12`"
    )
    assert prose("x" * 700) == f"`{'x' * 599}…`"
    assert code("") == "—"
