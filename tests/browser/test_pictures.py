"""Pictures in a real browser: shown without loss, without what needs time."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import spacediff
from spacediff.pictures import write_set
from support.report_pages import Reports

pytestmark = pytest.mark.browser

COLOURS = ((200, 30, 90), (12, 250, 128))
READ = """side => {
  const canvas = document.querySelector(`[data-side=${side}] .picture > canvas`);
  return [...canvas.getContext("2d").getImageData(5, 5, 1, 1).data];
}"""


def png(colour: tuple[int, int, int]) -> bytes:
    written = io.BytesIO()
    noisy = np.random.default_rng(0).integers(0, 9, (48, 64, 3), dtype=np.uint8)
    noisy[:10, :10] = colour
    PIL.Image.fromarray(noisy).save(written, "PNG")
    return written.getvalue()


@pytest.mark.parametrize("count", [1, 2])
def test_pictures_are_shown_without_loss_and_without_playback(reports: Reports, tmp_path: Path, count: int) -> None:
    write_set([png(colour) for colour in COLOURS[:count]], tmp_path / "a.zip")
    write_set([png(colour) for colour in COLOURS[::-1][:count]], tmp_path / "b.zip")
    result = spacediff.compare_videos(tmp_path / "a.zip", tmp_path / "b.zip", out=tmp_path / "audit")
    report = reports.open(result.report.as_uri(), "#frame=0")
    for number in range(count):
        report.go(number)
        report.until(f"player.dataset.position === '{number}'")
        assert report.page.evaluate(READ, "reference")[:3] == [*COLOURS[number]]
        assert report.page.evaluate(READ, "variant")[:3] == [*COLOURS[::-1][number]]
    for gone in ("#play", "#speed", "#loop", "#to-divergence"):
        assert not report.page.locator(gone).is_visible()
    assert report.page.locator("#seek").is_visible() == (count > 1)
    assert "fps" not in report.page.locator(".player").inner_text()
    assert "Motion" not in report.page.locator("main").inner_text()
    report.page.keyboard.press("4")
    report.until("player.dataset.view === 'difference'")
    assert report.page.evaluate(READ, "both")[:3] != [0, 0, 0]
    assert [text for text in report.complaints if "willReadFrequently" not in text] == []  # this test reads back
