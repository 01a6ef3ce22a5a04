"""Texts that Markdown or GitHub would make something of, and what a renderer makes of them."""

from __future__ import annotations

import re

from hypothesis import strategies as st
from markdown_it import MarkdownIt

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
