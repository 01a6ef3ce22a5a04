"""What the page's scripts write on it are the page's own words: none is left that a catalogue could not translate."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spacediff.reporting.html import render_html
from support.bracketed import Bracketed, untranslated, wide
from support.full_audits import told_audits
from support.report_pages import Reports

pytestmark = pytest.mark.browser

STRIP_FILLED = "document.querySelector('#strip').dataset.filled === 'true'"


def test_a_page_in_use_says_nothing_that_cannot_be_translated(reports: Reports, tmp_path: Path) -> None:
    full = next(told_audits(tmp_path))
    path = tmp_path / "report.html"
    path.write_text(render_html(wide(full), tmp_path, Bracketed()), "utf-8")
    opened = reports.open(path.as_uri())
    opened.until(STRIP_FILLED)
    for key in ("ArrowRight", "3", "]"):
        opened.page.keyboard.press(key)
    opened.page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    opened.page.locator("#plot").hover()
    opened.page.locator(".steps-plot").first.hover()
    opened.page.keyboard.press("?")
    drawn = opened.page.locator(".ground svg text").all_text_contents()
    assert drawn
    assert not [text for text in drawn if re.search("[A-Za-z]", text)], "drawings hold numbers"
    opened.page.evaluate("() => document.querySelectorAll('.ground').forEach((each) => each.remove())")
    page = opened.page.evaluate("() => document.body.outerHTML")
    assert 'aria-label="⟦Frame ' in page, "the strip names its pictures"
    assert untranslated(page) == []
    assert opened.complaints == []
