"""The ways of comparing, in a real browser: each mode, any two clips, zoom, jumps, the address."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spacediff.codec.map_tiles import arrange_tiles, encode_png
from spacediff.record import AuditRecord, FirstDivergenceRecord, with_derived
from spacediff.reporting.html import render_html, write_report
from spacediff.wording.numbers import number
from support.report_pages import FRAMES, VIEWPORT, Opened, Reports
from support.synthetic_audit import synthetic_audit

pytestmark = pytest.mark.browser

MODES = ["slider", "blink", "difference", "heat", "onion"]  # that show both pictures as one
QUICK = ["difference", "heat"]
PIXEL = """([x, y]) => { const c = document.querySelector('[data-side="both"] .picture > canvas');
    return [...c.getContext("2d").getImageData(x * c.width, y * c.height, 1, 1).data].slice(0, 3); }"""
LEVEL = """([side, x, y]) => { const shown = document.querySelector(`[data-side="${side}"] .picture > canvas`);
    const c = Object.assign(document.createElement("canvas"), { width: shown.width, height: shown.height });
    c.getContext("2d").drawImage(shown, 0, 0);
    return [...c.getContext("2d").getImageData(x * c.width, y * c.height, 1, 1).data].slice(0, 3); }"""


def pixel(report: Opened, x: float, y: float) -> list[int]:
    found: list[int] = report.page.evaluate(PIXEL, [x, y])
    return found


def pixel_of(report: Opened, side: str, x: float, y: float) -> list[int]:
    found: list[int] = report.page.evaluate(LEVEL, [side, x, y])
    return found


def opened(reports: Reports, url: str, address: str, **options: Any) -> Opened:
    report = reports.open(url, f"#prompt=lemon&variant=dpm&{address}", **options)
    report.until("'position' in player.dataset")
    return report


@pytest.mark.parametrize(
    "mode", [*QUICK, *(pytest.param(mode, marks=pytest.mark.slow) for mode in MODES if mode not in QUICK)]
)
def test_a_mode_is_in_the_address_and_opens_from_it(reports: Reports, url: str, mode: str) -> None:
    report = opened(reports, url, "frame=4")
    report.page.check(f"#views input[value={mode}]", force=True)
    report.address_says(f"mode={mode}")
    again = reports.open(url, report.page.evaluate("location.hash"))
    assert again.shown(4) == [4, 4]
    assert again.page.locator("#views input:checked").input_value() == mode
    assert again.page.locator('[data-side="both"] .picture').is_visible()
    assert not again.page.locator('[data-side="reference"]').is_visible()
    assert report.complaints + again.complaints == []


@pytest.mark.parametrize("mode", ["slider", "blink", "onion"])
def test_one_picture_of_two_shows_the_frame_that_is_named(reports: Reports, url: str, mode: str) -> None:
    report = reports.open(url, f"#prompt=lemon&variant=interpolated&frame=0&mode={mode}&share=0")
    for frame in (1, 6, 3):
        report.go(frame)
        report.shown(frame)
        assert report.codes("reference", "variant") == [frame, 2 * frame]
        if mode != "blink":
            wanted = 2 * frame if mode == "slider" else frame  # share 0: all of the right, none of the sheet
            assert report.codes("both") == [wanted]
        else:
            assert report.codes("both")[0] in {frame, 2 * frame}


def test_the_slider_parts_the_pictures_where_its_line_is(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=2&mode=slider&share=50")
    assert pixel(report, 0.2, 0.9) == pixel_of(report, "reference", 0.2, 0.9)
    assert pixel(report, 0.8, 0.9) == pixel_of(report, "variant", 0.8, 0.9)
    assert pixel_of(report, "reference", 0.8, 0.5) != pixel_of(report, "variant", 0.8, 0.5)
    box = report.page.locator('[data-side="both"] .picture > canvas').bounding_box()
    report.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 40)
    report.address_says("share=90")
    assert pixel(report, 0.8, 0.5) == pixel_of(report, "reference", 0.8, 0.5)


def test_the_line_is_as_wide_at_any_zoom_and_stands_where_the_pictures_part(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=2&mode=slider&share=50")
    line = report.page.locator("#divider")
    canvas = report.page.locator('[data-side="both"] .picture > canvas')
    for zoom in (1, 4):
        report.page.evaluate(
            f"location.hash = '#prompt=lemon&variant=dpm&frame=2&mode=slider&share=50&zoom={zoom},0.3,0'"
        )
        report.until(f"document.querySelector('#zoom-value').value === '{100 * zoom} %'")
        box, picture = line.bounding_box(), canvas.bounding_box()
        assert box["width"] == 2
        assert box["x"] + 1 == pytest.approx(picture["x"] + picture["width"] / 2, abs=0.6)


def test_onion_skin_mixes_by_its_share(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=2&mode=onion&share=50")
    left, right, both = (pixel_of(report, side, 0.8, 0.5) for side in ("reference", "variant", "both"))
    assert all(abs(b - (a + c) / 2) <= 1 for a, b, c in zip(left, both, right, strict=True))


def test_blinking_shows_one_after_the_other_and_can_be_held(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=2&mode=blink")
    now = "document.querySelector('#flipped').textContent"
    for name in ("dpm", "reference", "dpm"):
        report.until(f"{now} === '{name}'")
    report.page.keyboard.press("x")
    held = report.page.evaluate(now)
    side = "variant" if held == "dpm" else "reference"
    assert pixel(report, 0.8, 0.5) == pixel_of(report, side, 0.8, 0.5)
    report.page.wait_for_timeout(1200)
    assert report.page.evaluate(now) == held


def test_the_difference_is_what_differs_times_the_gain(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=2&mode=difference")
    left, right = pixel_of(report, "reference", 0.8, 0.5), pixel_of(report, "variant", 0.8, 0.5)
    assert max(abs(a - b) for a, b in zip(left, right, strict=True)) > 1
    for gain in (4, 16):
        report.page.select_option("#gain", str(gain))
        expected = [min(255, gain * abs(a - b)) for a, b in zip(left, right, strict=True)]
        assert all(abs(a - b) <= gain for a, b in zip(pixel(report, 0.8, 0.5), expected, strict=True))
        assert report.page.locator("#full-level").text_content() == str(256 // gain)
    report.address_says("gain=16")
    report.page.evaluate("location.hash = '#prompt=lemon&variant=as-hosted&frame=0&mode=difference'")
    report.shown(0)
    assert pixel(report, 0.8, 0.5) == [0, 0, 0]  # the first frames are equal


def test_the_pixels_under_the_pointer_are_those_of_both_pictures(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=2")
    box = report.page.locator('[data-side="variant"] .picture > canvas').bounding_box()
    x, y = 76.5 / 96, 32.5 / 64  # the middle of a pixel
    report.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    report.until("document.querySelector('#pixel').value !== ''")
    text = report.page.locator("#pixel").text_content() or ""
    for side, name in (("reference", "reference"), ("variant", "dpm")):
        levels = " ".join(map(str, pixel_of(report, side, x, y)))
        assert f"{name} (76, 32): {levels}" in text
    report.page.mouse.move(0, 0)
    report.until("document.querySelector('#pixel').value === ''")


@pytest.mark.parametrize(
    ("mode", "labels"),
    [
        ("side", ["reference", "dpm"]),
        ("slider", ["reference", "dpm"]),
        ("difference", ["difference ×4"]),
        ("onion", ["dpm over reference"]),
    ],
)
def test_a_frame_is_saved_as_it_is_shown_with_its_labels(
    reports: Reports, url: str, mode: str, labels: list[str]
) -> None:
    report = opened(reports, url, f"frame=2&mode={mode}&share=25")
    assert [tag.inner_text() for tag in report.page.locator(".tag:visible").all()] == labels
    with report.page.expect_download() as download:
        report.page.click("#save-frame")
    assert download.value.suggested_filename == f"spacediff-dpm-frame-2-{mode}.png"
    with Image.open(download.value.path()) as saved:
        assert saved.width == (2 * 480 + 8 if mode == "side" else 480)  # five times 96
        side = "both" if mode != "side" else "reference"
        shown = pixel(report, 0.8, 0.5) if mode != "side" else pixel_of(report, side, 0.8, 0.5)
        x, y = int(0.8 * 480) + 2, int(0.5 * 320) + 2
        assert list(saved.convert("RGB").getpixel((x, y))) == shown  # type: ignore[arg-type]  # of three bands
    assert report.complaints == []


def test_a_grid_shows_every_clip_at_the_same_frame(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=2&mode=grid")
    tiles = report.page.locator("#grid li")
    names = [tile.get_attribute("data-side") or "" for tile in tiles.all()]
    assert {"grid:", "grid:dpm", "grid:interpolated"} <= set(names)
    assert 2 < len(names) <= 9
    for frame in (5, 1):
        report.go(frame)
        report.shown(frame)
        assert report.codes(*names) == [2 * frame if name == "grid:interpolated" else frame for name in names]
    report.page.click("#grid li[data-side='grid:interpolated'] button")
    assert report.variant() == "interpolated"
    assert report.codes(*names) == [2 if name == "grid:interpolated" else 1 for name in names]
    report.page.check("#views input[value=side]", force=True)
    report.until("document.querySelector('#grid').childElementCount === 0")
    assert report.complaints == []


def test_the_heat_map_shows_what_was_measured(
    reports: Reports, url: str, drawn_audit: tuple[AuditRecord, Path]
) -> None:
    import cv2

    record, folder = drawn_audit
    comparison = next(c for c in record.comparisons if (c.prompt, c.candidate) == ("lemon", "dpm"))
    assert comparison.map is not None
    levels = cv2.imread(str(folder / comparison.map.file), cv2.IMREAD_GRAYSCALE)
    assert levels is not None
    report = opened(reports, url, "frame=4&mode=heat")
    report.until(f"({PIXEL})([0.5, 0.5]).some((level) => level > 0)")
    box = report.page.locator('[data-side="both"] .picture > canvas').bounding_box()
    for across, down in ((0.51, 0.52), (0.1, 0.9)):
        report.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        row = 4 * comparison.map.rows + int(down * comparison.map.rows)
        value = levels[row, int(across * comparison.map.columns)] / 255
        assert report.page.locator("#heat-value").text_content() == number(value, decimals=2)
    assert report.page.locator("#heat-scale").is_visible()


def test_a_heat_map_of_many_frames_shows_the_right_one_and_rounds_nothing_onto_the_same(
    reports: Reports, tmp_path: Path
) -> None:
    record = synthetic_audit(tmp_path, frames=6, size=(64, 96))
    levels, texts = [255, 254, 253, 128, 1, 0], ["1.00", ">0.99", "0.99", "0.50", "<0.01", "0.00"]
    tiles = np.stack([np.full((32, 48), level, np.uint8) for level in levels])
    maps = [each.map.model_copy(update={"across": 4}) for each in record.comparisons if each.map]
    for each in maps:
        assert (each.rows, each.columns) == (32, 48)
        (tmp_path / each.file).write_bytes(encode_png(arrange_tiles(tiles, 4)))
    comparisons = [
        each.model_copy(update={"map": each.map and each.map.model_copy(update={"across": 4})})
        for each in record.comparisons
    ]
    page = write_report(record.model_copy(update={"comparisons": comparisons}), tmp_path)
    report = opened(reports, page.as_uri(), "frame=0&mode=heat")
    box = report.page.locator('[data-side="both"] .picture > canvas').bounding_box()
    for frame, text in enumerate(texts):
        report.page.evaluate(f"location.hash = '#prompt=lemon&variant=dpm&frame={frame}&mode=heat'")
        report.shown(frame)
        for across, down in ((0.51, 0.52), (0.98, 0.9)):
            report.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            assert report.page.locator("#heat-value").text_content() == text


def test_between_two_runs_the_page_says_what_curves_and_marks_are_held_against(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=0")
    notes = report.page.locator(".of-two")
    assert [note.is_visible() for note in notes.all()] == [False] * 3
    report.page.select_option("#against-select", "baseline")
    report.address_says("against=baseline")
    texts = [note.text_content() for note in notes.all() if note.is_visible()]
    assert texts == [
        "First divergence and worst frame: dpm compared with the reference, not with baseline.",
        "Each curve compares a run with the reference; between dpm and baseline nothing was measured.",
        "The marked frames are those of dpm compared with the reference, not with baseline.",
    ]
    report.page.select_option("#against-select", "")
    report.until("[...document.querySelectorAll('.of-two')].every((note) => note.hidden)")


def test_frames_that_stand_side_by_side_by_number_only_are_announced(
    reports: Reports, drawn_audit: tuple[AuditRecord, Path], tmp_path: Path
) -> None:
    record, folder = drawn_audit
    bare: dict[str, Any] = {
        "frame_map": [],
        "per_frame": {},
        "metrics": {},
        "measures": {},
        "first_divergence": None,
        "map": None,
    }
    comparisons = [each.model_copy(update=bare) if each.candidate == "dpm" else each for each in record.comparisons]
    page = tmp_path / "report.html"
    page.write_text(
        render_html(with_derived(record.model_copy(update={"comparisons": comparisons})), folder), encoding="utf-8"
    )
    report = opened(reports, page.as_uri(), "frame=2")
    note = report.page.locator(".unmapped")
    assert report.shown(2) == [2, 2]
    assert note.is_visible()
    assert "by number only" in (note.text_content() or "")
    report.page.evaluate("location.hash = '#prompt=lemon&variant=baseline&frame=2'")
    report.until("document.querySelector('.unmapped').hidden")


def test_a_heat_map_is_not_offered_where_none_was_measured(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=0&mode=heat&against=cpu-noise")
    assert report.page.locator("#views input[value=heat]").is_disabled()
    assert report.page.locator("#views input:checked").input_value() == "side"


def test_any_two_clips_meet_where_both_meet_the_reference(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&against=interpolated&frame=0")
    report.until("document.querySelector('#against-select').value === 'interpolated'")
    for frame in (3, FRAMES - 1):
        report.go(frame)
        assert report.shown(frame) == [2 * frame, frame]
    report.page.select_option("#against-select", "baseline")
    assert report.shown(FRAMES - 1) == [FRAMES - 1, FRAMES - 1]
    report.address_says("against=baseline")
    assert report.page.locator("[data-side=reference] .who:visible strong").text_content() == "baseline"


def test_zoom_is_shared_and_kept_in_the_address(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=2")
    transform = "getComputedStyle(document.querySelector('[data-side=SIDE] .picture > canvas')).transform"
    report.page.click('[data-side="variant"] .picture')
    report.page.mouse.wheel(0, -400)
    report.address_says("zoom=")
    both = [report.page.evaluate(transform.replace("SIDE", side)) for side in ("reference", "variant")]
    assert both[0] == both[1] != "matrix(1, 0, 0, 1, 0, 0)"
    report.page.keyboard.press("d")
    report.until(f"{transform.replace('SIDE', 'variant')} !== '{both[0]}'")
    report.page.keyboard.press("0")
    assert report.page.locator("#zoom-value").text_content() == "100 %"
    again = opened(reports, url, "frame=2&zoom=4,0.5,0.25")
    assert again.page.locator("#zoom-value").text_content() == "400 %"


def test_two_fingers_zoom(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=2", has_touch=True)
    box = report.page.locator('[data-side="reference"] .picture').bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = report.page.context.new_cdp_session(report.page)
    for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 60), ("touchEnd", 0)):
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}] if apart else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    report.until("parseInt(document.querySelector('#zoom-value').value) > 150")


@pytest.fixture(scope="session")
def parting_url(drawn_audit: tuple[AuditRecord, Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    record, folder = drawn_audit
    divergence = FirstDivergenceRecord(metric="psnr", beyond_floor=3, half_way=None)
    comparisons = [
        c.model_copy(update={"first_divergence": divergence}) if c.candidate == "dpm" else c for c in record.comparisons
    ]
    copy = tmp_path_factory.mktemp("divergence")
    shutil.copytree(folder / "previews", copy / "previews")
    return write_report(record.model_copy(update={"comparisons": comparisons}), copy).as_uri()


def test_jumps_to_the_worst_and_to_the_first_frame_apart(
    reports: Reports, parting_url: str, drawn_audit: tuple[AuditRecord, Path]
) -> None:
    values = next(c for c in drawn_audit[0].comparisons if c.candidate == "dpm").per_frame
    report = opened(reports, parting_url, "frame=0&metric=lpips")
    report.page.click("#to-divergence")
    assert report.shown(3) == [3, 3]
    report.page.keyboard.press("g")
    worst = values["lpips"].index(max(values["lpips"]))
    assert report.shown(worst) == [worst, worst]
    report.page.keyboard.press("f")
    assert report.shown(3) == [3, 3]


def test_the_filmstrip_holds_the_frames_that_stand_out(
    reports: Reports, parting_url: str, drawn_audit: tuple[AuditRecord, Path]
) -> None:
    values = next(c for c in drawn_audit[0].comparisons if c.candidate == "dpm").per_frame["psnr"]
    worst = values.index(min(values))
    report = opened(reports, parting_url, "frame=0&metric=psnr")
    report.until("document.querySelector('#strip').dataset.filled === 'true'")
    labels = {int(text.split()[0]): text for text in report.page.locator(".thumb.marked").all_text_contents()}
    assert "worst" in labels[worst]
    assert "diverges" in labels[3]
    report.page.click(f".thumb[data-position='{worst}']")
    assert report.shown(worst) == [worst, worst]
    assert report.page.locator(".thumb[aria-current]").get_attribute("data-position") == str(worst)


def test_all_curves_share_the_cursor_and_seek(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=0")
    small = report.page.locator(".small-curve .plot")
    assert small.count() == 3
    small.nth(1).scroll_into_view_if_needed()
    report.drawn()
    box = small.nth(1).bounding_box()
    left, right = 46, box["width"] - 10  # the padding in specs.py
    x = box["x"] + left + (right - left) * 5 / (FRAMES - 1)
    report.page.mouse.move(x, box["y"] + 60)
    assert set(report.page.locator(".plot .tip-frame").all_text_contents()) == {"5"}
    report.page.mouse.click(x, box["y"] + 60)
    assert report.shown(5) == [5, 5]
    for place in range(4):
        plot = report.page.locator(".plot").nth(place)
        at = plot.locator(".cursor_marks line").evaluate("line => line.getBoundingClientRect().x")
        box = plot.bounding_box()
        assert at == pytest.approx(box["x"] + 46 + (box["width"] - 56) * 5 / (FRAMES - 1), abs=1)


def test_keys_choose_modes_and_can_be_switched_off(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=0")
    report.page.keyboard.press("4")
    report.address_says("mode=difference")
    report.page.keyboard.press("?")
    assert report.page.locator("#help").is_visible()
    report.page.uncheck("#keys-on")
    report.page.keyboard.press("Escape")
    report.page.keyboard.press("2")
    report.page.wait_for_timeout(300)
    assert report.page.locator("#views input:checked").input_value() == "difference"


def test_paper_has_the_strip_and_the_table_instead_of_the_player(reports: Reports, url: str) -> None:
    report = opened(reports, url, "frame=0", viewport=VIEWPORT)  # an own page, which stays paper
    report.drawn()
    report.until("document.querySelector('#strip').dataset.filled === 'true'")
    report.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    report.page.emulate_media(media="print")
    assert report.page.locator("#strip").is_visible()
    assert report.page.locator("#numbers tbody tr").count() == FRAMES
    assert not report.page.locator(".panes").is_visible()
    assert not report.page.locator(".controls").first.is_visible()
    dashes = report.page.locator('.ground [stroke-dasharray="1,0"]').evaluate_all(
        "lines => lines.map((line) => getComputedStyle(line).strokeDasharray)"
    )
    assert dashes
    assert set(dashes) == {"none"}, "a PDF holds each dash of a line as a shape"
