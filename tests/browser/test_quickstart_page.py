"""The page of a real audit, the quickstart's: what its numbers and clips look like is nobody's drawing."""

from __future__ import annotations

import pytest

from conftest import Finished
from report_pages import Reports

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_every_mode_shows_a_real_audit(reports: Reports, quickstart: Finished) -> None:
    url = (quickstart.folder / "report.html").as_uri()
    for mode in ("side", "slider", "blink", "difference", "heat", "onion"):
        report = reports.open(url, f"#variant=dpm&frame=2&mode={mode}")
        report.until("'position' in player.dataset && document.querySelector('#frame').value === '2'")
        assert report.page.locator("#views input:checked").input_value() == mode
        side = "reference" if mode == "side" else "both"
        canvas = report.page.locator(f'[data-side="{side}"] .picture > canvas')
        report.until(
            f"""[...document.querySelector('[data-side="{side}"] .picture > canvas').getContext('2d')
            .getImageData(0, 0, 48, 32).data].some((level, n) => n % 4 < 3 && level > 0)"""
        )
        assert canvas.is_visible()
        assert report.complaints == []
        assert {address.split(":")[0] for address in report.requests} <= {"file", "blob", "data"}


def test_all_measures_have_their_curve(reports: Reports, quickstart: Finished) -> None:
    report = reports.open((quickstart.folder / "report.html").as_uri(), "#variant=dpm&frame=0")
    report.drawn()
    wanted = [info.name for info in (*quickstart.record.metrics, *quickstart.record.measures)]
    drawn = report.page.locator(".small-curve .plot:has(.chosen_marks path)").evaluate_all(
        "all => all.map((plot) => plot.dataset.curve)"
    )
    assert drawn == wanted


def test_the_first_screen_names_the_cause_and_the_fix(reports: Reports, quickstart: Finished) -> None:
    cause = quickstart.record.cause
    assert cause is not None
    report = reports.open((quickstart.folder / "report.html").as_uri())
    line = report.page.locator(".cause-line").first
    assert cause.sentence in (line.text_content() or "")
    assert all(path in (line.locator(".fix").text_content() or "") for path in cause.cause)
    box = line.bounding_box()
    assert box["y"] + box["height"] < 800  # without scrolling
