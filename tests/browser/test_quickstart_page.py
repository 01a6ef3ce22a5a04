"""The page of a real audit, the quickstart's: what its numbers and clips look like is nobody's drawing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from spacediff.clip import read_clip
from spacediff.record import RunRecord
from spacediff.wording import cause_text, fix_code, left_open_text, proof_text
from support.quickstart import Finished
from support.report_pages import VIEWPORT, Opened, Reports, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIMIT = 10_000_000  # bytes
PRINTED_LIMIT = 5_000_000  # bytes of a PDF
READ_PIXELS = """(side) => {
    const canvas = document.querySelector(`[data-side="${side}"] .picture > canvas`);
    return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
}"""


def shown_on(report: Opened, side: str, height: int, width: int) -> NDArray[np.float64]:
    pixels = np.array(report.page.evaluate(READ_PIXELS, side), np.float64)
    return pixels.reshape(height, width, 4)[..., :3]


def frames_of(quickstart: Finished, run: RunRecord) -> NDArray[np.float64]:
    assert run.clip is not None
    return read_clip(quickstart.folder / run.clip.lossless).frames.astype(np.float64)


def test_what_is_shown_is_the_frame_that_is_named(reports: Reports, quickstart: Finished) -> None:
    """No number is drawn into these: each picture has to lie nearer to its own frame than to any that differs."""
    (prompt,) = quickstart.record.prompts
    runs = {name: quickstart.record.run(prompt.name, name) for name in ("reference", "baseline")}
    clips = {name: frames_of(quickstart, run) for name, run in runs.items()}
    report = reports.open((quickstart.folder / "report.html").as_uri(), "#variant=baseline&frame=0")
    distinguishable = 0
    for number in range(len(clips["reference"])):
        report.go(number)
        report.shown(number)
        for side, name in (("reference", "reference"), ("variant", "baseline")):
            frames = clips[name]
            picture = shown_on(report, side, *frames.shape[1:3])
            apart = np.abs(frames - picture).mean(axis=(1, 2, 3))
            others = np.abs(frames - frames[number]).mean(axis=(1, 2, 3))
            clear = others > 2 * apart[number]  # levels; nearer ones look the same after the preview's encoder
            assert (apart[clear] > apart[number]).all(), (name, number)
            distinguishable += int(clear.sum())
    assert distinguishable > len(clips["reference"])


def test_keys_and_links_lead_to_the_evidence(reports: Reports, quickstart: Finished) -> None:
    url = (quickstart.folder / "report.html").as_uri()
    report = reports.open(url, "#variant=baseline&frame=0")
    report.shown(0)
    for key, says in (("ArrowRight", "frame=1"), ("2", "mode=slider"), ("5", "mode=heat"), ("End", "frame=16")):
        report.page.keyboard.press(key)
        report.address_says(says)
    report.page.keyboard.press("g")
    compared = next(c for c in quickstart.record.comparisons if c.candidate == "baseline")
    worst = compared.metrics[quickstart.record.metrics[0].name].worst_frame
    report.address_says(f"frame={worst}")
    again = reports.open(report.page.url, "")
    again.until("'position' in player.dataset")
    assert again.page.locator("#views input:checked").input_value() == "heat"
    assert again.page.evaluate("document.querySelector('#frame').value") == str(worst)
    targets = again.page.locator('a[href^="#"]:visible').evaluate_all(
        "all => all.map((link) => link.getAttribute('href')).filter((href) => !href.includes('='))"
    )
    assert targets
    assert all(again.page.locator(target).count() == 1 for target in targets)
    assert report.complaints == again.complaints == []


def test_the_page_is_accessible_and_within_its_budget(reports: Reports, quickstart: Finished) -> None:
    page = quickstart.folder / "report.html"
    assert page.stat().st_size < LIMIT
    report = reports.open(page.as_uri(), "#variant=baseline&frame=2", bypass_csp=True, color_scheme="light")
    report.until("'position' in player.dataset")
    assert violations(report) == []
    report.page.emulate_media(color_scheme="dark")
    assert violations(report, ["color-contrast"]) == []


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
        reports.close()


def test_all_measures_have_their_curve(reports: Reports, quickstart: Finished) -> None:
    report = reports.open((quickstart.folder / "report.html").as_uri(), "#variant=dpm&frame=0")
    report.drawn()
    wanted = [info.name for info in (*quickstart.record.metrics, *quickstart.record.measures)]
    drawn = report.page.locator(".small-curve .plot:has(.chosen_marks path)").evaluate_all(
        "all => all.map((plot) => plot.dataset.curve)"
    )
    assert drawn == wanted


def test_the_first_screen_names_cause_fix_proof_and_what_is_open(reports: Reports, quickstart: Finished) -> None:
    cause = quickstart.record.cause
    assert cause is not None
    report = reports.open((quickstart.folder / "report.html").as_uri())
    line = report.page.locator(".cause-line").first
    assert cause_text(quickstart.record, proof=False) in (line.text_content() or "")
    proof = proof_text(quickstart.record)
    assert "the local output is bitwise equal to that of the Space" in proof
    assert proof in (line.text_content() or "")
    assert line.locator(".fix").text_content() == "\n".join(fix_code(cause))
    assert len(fix_code(cause)) == 2
    box = line.bounding_box()
    assert box["y"] + box["height"] < 800  # without scrolling
    missing = report.page.locator(".left-open").first
    said = " ".join((missing.text_content() or "").split())
    assert said == f"Not measured {left_open_text(quickstart.record)}"
    box = missing.bounding_box()
    assert box["y"] + box["height"] < 900


def test_curves_of_what_clips_show_seek_and_share_the_frame(reports: Reports, quickstart: Finished) -> None:
    report = reports.open((quickstart.folder / "report.html").as_uri(), "#variant=baseline&frame=2")
    report.shown(2)
    (prompt,) = quickstart.record.prompts
    last = len(frames_of(quickstart, quickstart.record.run(prompt.name, "reference"))) - 1
    plot = report.page.locator('.steps-plot[data-counts="frame"]').first
    plot.scroll_into_view_if_needed()
    report.until("document.querySelector('.steps-plot[data-counts=\"frame\"] .ground svg')")
    box = plot.bounding_box()
    left, right = 46, box["width"] - 10  # the padding in specs.py

    def guide() -> float:
        return float(plot.locator(".guide_marks line").evaluate("line => line.getBoundingClientRect().x"))

    def at(frame: int) -> float:
        return float(box["x"] + left + (right - left) * frame / last)

    assert guide() == pytest.approx(at(2), abs=1)
    report.page.mouse.click(at(6), box["y"] + 40)
    report.address_says("frame=6")
    report.page.mouse.move(box["x"], box["y"] - 30)
    report.go(4)
    report.shown(4)
    assert guide() == pytest.approx(at(4), abs=1)


def test_a_printed_page_is_small_enough_for_a_mail(reports: Reports, quickstart: Finished) -> None:
    report = reports.open((quickstart.folder / "report.html").as_uri(), "#variant=baseline&frame=2", viewport=VIEWPORT)
    report.drawn()
    assert len(report.page.pdf(format="A4")) < PRINTED_LIMIT
