"""A result in a notebook, whose outputs may run no script: both clips play, and a viewer without video has pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.results import AuditResult
from support.report_pages import Reports
from support.synthetic_audit import synthetic_audit

pytestmark = pytest.mark.browser

OUTPUT = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'">
<title>a cell's output</title>"""


def test_both_clips_play_by_themselves_where_no_script_may_run(reports: Reports, tmp_path: Path) -> None:
    record = synthetic_audit(tmp_path, frames=5, size=(32, 48))
    piece = AuditResult(record, tmp_path, tmp_path / "report.html")._repr_html_()
    (tmp_path / "cell.html").write_text(OUTPUT + piece, "utf-8")
    report = reports.open((tmp_path / "cell.html").as_uri(), "")
    videos = "[...document.querySelectorAll('video')]"
    report.page.wait_for_function(f"{videos}.length === 2 && {videos}.every((each) => each.currentTime > 0)")
    assert report.page.evaluate(f"{videos}.map((each) => [each.videoWidth, each.videoHeight])") == [[48, 32]] * 2
    assert report.page.locator("table caption").is_visible()
    # a viewer that drops the videos keeps what is in them
    report.page.evaluate(f"{videos}.forEach((each) => each.replaceWith(...each.children))")
    pictures = "[...document.querySelectorAll('img')].map((each) => each.naturalWidth)"
    report.page.wait_for_function(f"{pictures}.length === 2 && {pictures}.every((width) => width === 48)")
    assert report.complaints == []
