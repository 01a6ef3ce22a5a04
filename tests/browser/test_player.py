"""The player in a real browser: both pictures show the frame that is named, and keys drive them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from spacediff.reporting import html
from spacediff.reporting.html import write_report
from support.report_pages import FRAMES, Reports
from support.synthetic_audit import synthetic_audit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("variant", "factor"), [("dpm", 1), ("interpolated", 2)])
def test_both_pictures_show_the_frame_that_is_named(reports: Reports, url: str, variant: str, factor: int) -> None:
    report = reports.open(url, f"#prompt=lemon&variant={variant}&frame=0")
    for turn in range(2):  # decoded first, kept pictures then
        for frame in (0, 1, 5, 4, FRAMES - 1, 3, turn):
            report.go(frame)
            assert report.shown(frame) == [frame, factor * frame]


def test_shrunk_previews_show_the_frame_that_is_named(
    reports: Reports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = synthetic_audit(tmp_path, frames=20, size=(96, 144))
    whole = sum(path.stat().st_size for path in (tmp_path / "previews").iterdir())
    monkeypatch.setattr(html, "BUDGET", len(html.render_html(record, tmp_path)) - whole // 2)
    report = reports.open(write_report(record, tmp_path).as_uri(), "#prompt=lemon&variant=dpm&frame=0")
    assert report.page.locator(".shrunk").is_visible()
    for frame in (0, 11, 12, 5, 19, 13, 1):  # from one key frame to the next there are twelve
        report.go(frame)
        assert report.shown(frame) == [frame, frame]


def test_pictures_never_part_while_playing(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=interpolated&frame=0")
    report.page.select_option("#speed", "2")
    report.shown(0)
    report.page.click("#play")
    seen, ends = [report.codes() for _ in range(120)], time.monotonic() + 60
    while len({reference for reference, _ in seen}) <= 3 and time.monotonic() < ends:
        seen.append(report.codes())
    assert len({reference for reference, _ in seen}) > 3
    assert all(variant == 2 * reference for reference, variant in seen if reference is not None and variant is not None)


def test_speed_keeps_the_clip_s_own_pace(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=0")
    for frame in range(FRAMES):  # so that no decoding is timed
        report.go(frame)
        report.shown(frame)
    report.go(0)
    report.shown(0)
    seconds = report.page.evaluate("""async () => {
        const frame = document.querySelector("#frame");
        const reached = (n) => new Promise((resolve) => {
            const look = () => (frame.value === n ? resolve(performance.now()) : requestAnimationFrame(look));
            look();
        });
        document.querySelector("#play").click();
        const first = await reached("1");
        return (await reached("7") - first) / 1000;
    }""")
    assert seconds == pytest.approx(6 / 8, abs=0.25)  # six frames at 8 fps


def test_without_loop_playing_ends_at_the_last_frame(reports: Reports, url: str) -> None:
    report = reports.open(url, f"#prompt=lemon&variant=dpm&frame={FRAMES - 3}")
    report.page.uncheck("#loop")
    report.page.click("#play")
    report.page.wait_for_selector("#play[aria-pressed=false]")
    assert report.shown(FRAMES - 1) == [FRAMES - 1, FRAMES - 1]


def test_keys_drive_the_page(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=0")
    report.shown(0)
    press = report.page.keyboard.press
    press("ArrowRight")
    press("ArrowRight")
    assert report.shown(2) == [2, 2]
    press("ArrowLeft")
    assert report.shown(1) == [1, 1]
    press("End")
    assert report.shown(FRAMES - 1) == [FRAMES - 1, FRAMES - 1]
    press("Home")
    assert report.shown(0) == [0, 0]
    before = report.variant()
    press("]")
    assert report.variant() != before
    press("[")
    assert report.variant() == before
    press("Space")
    report.page.wait_for_selector("#play[aria-pressed=true]")
    press("Space")
    report.page.wait_for_selector("#play[aria-pressed=false]")


def test_keys_leave_a_focused_control_its_own(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=3")
    report.shown(3)
    report.page.focus("#speed")
    report.page.keyboard.press("Home")
    assert report.shown(3) == [3, 3]


def test_keys_mean_the_page_where_the_player_is_out_of_view(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=3")
    report.shown(3)
    report.page.evaluate("document.querySelector('#reproduce').scrollIntoView({ behavior: 'instant' })")
    report.page.keyboard.press("Home")
    report.until("scrollY === 0")
    assert report.shown(3) == [3, 3]
    report.page.evaluate("document.body.insertAdjacentHTML('afterbegin', '<input id=typed>')")
    report.page.focus("#typed")
    report.page.keyboard.type("[2]")
    assert report.page.input_value("#typed") == "[2]"
    assert report.variant() == "dpm"
    report.page.focus("#player")
    report.page.keyboard.press("Home")
    assert report.shown(0) == [0, 0]


def test_plays_by_itself_unless_motion_is_unwanted(reports: Reports, url: str) -> None:
    assert reports.open(url, "").page.locator("#play").get_attribute("aria-pressed") == "true"
    still = reports.open(url, "", reduced_motion="reduce")
    assert still.page.locator("#play").get_attribute("aria-pressed") == "false"
