from __future__ import annotations

import pytest
from hypothesis import given

from spacediff.privacy.short_lines import shortened
from spacediff.reporting.inert import cell, code, fenced, prose
from support.markdown_texts import NOTICED, RENDERER, TEXTS, kinds, plain_texts

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
