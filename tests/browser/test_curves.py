"""The curves in a real browser: what they show, and what they lead to."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.record import AuditRecord
from support.report_pages import FRAMES, Reports

pytestmark = pytest.mark.browser

TICKS = '#plot .role-axis-label text[text-anchor="end"]'


def test_a_click_on_the_curve_seeks(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=0")
    report.shown(0)
    report.drawn()
    box = report.page.locator("#plot").bounding_box()
    left, right = 46, box["width"] - 10  # the padding in chart_specs.py
    x = left + (right - left) * 6 / (FRAMES - 1)
    report.page.mouse.click(box["x"] + x + 4, box["y"] + 60)
    assert report.shown(6) == [6, 6]
    report.address_says("frame=6")


def test_the_curve_tells_values_under_the_pointer(
    reports: Reports, url: str, drawn_audit: tuple[AuditRecord, Path]
) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=0")
    report.shown(0)
    report.drawn()
    box = report.page.locator("#plot").bounding_box()
    report.page.mouse.move(box["x"] + 48, box["y"] + 60)
    expected = next(c for c in drawn_audit[0].comparisons if c.candidate == "dpm").per_frame["psnr"][0]
    assert report.page.locator("#plot .tip-value").text_content() == f"{expected:.2f}"


def test_infinity_has_a_tick_above_all_others(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=as-hosted&frame=0")
    report.drawn()
    ticks = report.page.locator(TICKS).evaluate_all(
        "all => all.map((tick) => [tick.textContent, tick.getBoundingClientRect().y])"
    )
    assert min(ticks, key=lambda tick: tick[1])[0] == "∞"
    assert report.page.locator("#plot .readout_marks text").text_content() == "∞"
    report.page.check("#metrics input[value=lpips]", force=True)
    report.until(f"![...document.querySelectorAll(`{TICKS}`)].some((tick) => tick.textContent === '∞')")
    assert report.page.locator(TICKS).count() >= 3
    report.address_says("metric=lpips")


def test_the_curve_can_be_reached_and_read_by_keyboard(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=0")
    report.shown(0)
    report.page.focus("#plot")
    report.page.keyboard.press("ArrowRight")
    report.shown(1)
    plot = report.page.locator("#plot")
    assert plot.get_attribute("aria-valuenow") == "1"
    assert plot.get_attribute("aria-valuetext").startswith("1: ")


def test_the_scale_stands_behind_the_curve(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=0")
    report.drawn()
    plot, floor, ceiling = (
        report.page.locator(place).bounding_box()
        for place in ("#plot .root", "#plot .band_marks [fill*=near]", "#plot .band_marks [fill*=far] >> nth=0")
    )
    assert floor["y"] < ceiling["y"]  # PSNR: closer is higher
    assert ceiling["y"] + ceiling["height"] < plot["y"] + plot["height"]
    report.page.check("#metrics input[value=lpips]", force=True)
    report.until("document.querySelector('#plot .band_marks [fill*=near]').getBBox().y > 100")


def test_curves_take_the_colours_of_the_theme(reports: Reports, url: str) -> None:
    seen = set()
    for theme in ("light", "dark"):
        report = reports.open(url, "#prompt=lemon&variant=dpm&frame=0", color_scheme=theme)
        report.drawn()
        seen.add(report.page.evaluate("getComputedStyle(document.querySelector('#plot .chosen_marks path')).stroke"))
    assert len(seen) == 2
    assert all(colour.startswith("rgb") for colour in seen)


def test_in_a_browser_that_cannot_unpack_the_library_the_page_says_so_and_the_table_has_the_values(
    reports: Reports, url: str
) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=0", without="DecompressionStream")
    report.shown(0)
    report.until("document.querySelector('#plot .undrawable').checkVisibility()")
    assert "its values are in the table" in (report.page.locator("#plot").text_content() or "")
    report.page.click("#numbers summary")
    assert report.page.locator("#numbers tbody tr").count() == FRAMES
    report.page.locator("#plot").hover()
    report.page.focus("#plot")
    report.page.keyboard.press("ArrowRight")
    assert report.shown(1) == [1, 1]
    assert report.complaints == []


def test_the_table_holds_the_curve(reports: Reports, url: str) -> None:
    report = reports.open(url)
    report.page.click("#numbers summary")
    rows = report.page.locator("#numbers tbody tr")
    rows.first.wait_for()
    assert rows.count() == FRAMES
    assert "as-hosted" in report.page.locator("#numbers thead").text_content()


def test_plots_of_the_loop_tell_the_values_of_a_step(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dynamic-cfg&frame=4")
    report.shown(4)
    plot = report.page.locator(".inside:visible .steps-plot").first
    tip = plot.locator(".tip")
    report.drawn()
    assert plot.locator(".lines_marks path[stroke-width='3.4']").count() == 1
    plot.hover(position={"x": 53, "y": 40})
    assert "after step 0" in tip.inner_text()
    plot.focus()
    report.page.keyboard.press("End")
    assert "25.0%" in tip.inner_text()
    report.page.keyboard.press("ArrowLeft")
    report.page.mouse.move(0, 0)
    assert (plot.get_attribute("aria-valuenow"), tip.is_visible()) == ("3", True)
    assert "dynamic-cfg 1.23%" in (plot.get_attribute("aria-valuetext") or "")
    report.page.keyboard.press("Tab")
    assert not tip.is_visible()
    assert report.shown(4) == [4, 4]  # the keys were the plot's, not the player's
    assert report.complaints == []
