"""Pictures on the page: nothing that needs time, and everything else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from spacediff.record import AuditRecord
from spacediff.reporting.html import render_html
from spacediff.reporting.view import Still, still
from support.html_page import Page, with_cause
from support.pictures import of_pictures


def test_a_page_of_single_pictures_leaves_out_what_needs_time(record: AuditRecord, folder: Path) -> None:
    page = render_html(of_pictures(record, 1), folder)
    assert '<main class="still single">' in page
    assert " 1 picture</span>" in page
    assert "· 8 fps" not in page
    assert 'id="frames"' not in page
    assert 'id="views"' in page
    assert "Variants by distance to the reference" in page


def test_several_pictures_are_shown_by_number_without_a_player(record: AuditRecord, folder: Path) -> None:
    page = render_html(of_pictures(record, 5), folder)
    assert '<main class="still">' in page
    assert " 5 pictures</span>" in page
    assert "Picture by picture" in page


NEEDS_TIME = re.compile(r"<(tr|button|label)\b[^>]*\bmoving\b[^>]*>.*?</\1>", re.DOTALL)
"""What the style hides on a page of pictures."""
OF_VIDEOS = re.compile(r"\b(clips?|frames?|fps|motion|plays?|playback|player)\b", re.IGNORECASE)


@pytest.mark.parametrize("frames", [1, 5])
def test_no_word_and_no_label_on_a_page_of_pictures_is_of_videos(
    record: AuditRecord, folder: Path, frames: int
) -> None:
    metrics = [replace(info, about="") for info in record.metrics]
    texts = {"warnings": [], "run_warnings": [], "scenario": "", "metrics": metrics}
    pictured = with_cause(of_pictures(record, frames)).model_copy(update=texts)
    drawn = render_html(pictured, folder).replace("other motion", "")  # what the catalogue says of CogVideoX
    page = Page(NEEDS_TIME.sub("", drawn))
    labels = [value for _, attrs in page.tags for name, value in attrs.items() if name in {"aria-label", "title"}]
    assert not [found for text in (page.text, *labels) if (found := OF_VIDEOS.search(text or ""))]


def test_an_audit_with_a_video_keeps_its_player(record: AuditRecord, folder: Path) -> None:
    mixed = of_pictures(record, 1).model_copy(update={"runs": [*of_pictures(record, 1).runs[1:], record.runs[0]]})
    assert still(record) is still(mixed) is Still.NO
    page = render_html(record, folder)
    assert "<main>" in page
    assert "· 8 fps" in page
    assert "Frame by frame" in page
