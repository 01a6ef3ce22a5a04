"""The report in a real browser: what is on the screen is read back from the canvases, not believed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from spacediff.record import AuditRecord, ComparisonRecord, GateRecord, GateStatus, Role, RunRecord, with_derived
from spacediff.reporting import html
from spacediff.reporting.charting import charting
from spacediff.reporting.html import render_html, write_report
from support.report_pages import FRAMES, Reports
from support.synthetic_audit import synthetic_audit

pytestmark = pytest.mark.browser

TICKS = '#plot .role-axis-label text[text-anchor="end"]'


# ---- it opens, and asks for nothing


def test_opens_without_a_complaint_and_without_a_request(reports: Reports, url: str) -> None:
    report = reports.open(url, "")
    report.until("Number(document.querySelector('#frame').value) > 2")
    report.drawn()
    assert report.complaints == []
    assert {address.split(":")[0] for address in report.requests} <= {"file", "blob", "data"}
    assert [address for address in report.requests if address.startswith("file")] == [url]


def test_the_policy_is_in_force(reports: Reports, url: str) -> None:
    report = reports.open(url)
    report.page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.stolen = 1";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", '<p id="x" style="color: rgb(1, 2, 3)">x</p>');
    }""")
    assert report.page.evaluate("window.stolen") is None
    assert report.page.evaluate("getComputedStyle(document.querySelector('#x')).color") != "rgb(1, 2, 3)"
    assert len(report.complaints) == 2  # both refusals are told


def test_hostile_texts_do_nothing(reports: Reports, drawn_audit: tuple[AuditRecord, Path], tmp_path: Path) -> None:
    record, folder = drawn_audit
    attack = "</script><script>window.stolen = 1</script><img src=x onerror='window.stolen = 1'>\u202e"
    runs = [
        run.model_copy(update={"name": run.name + attack, "prompt": attack, "described": attack}) for run in record.runs
    ]
    prompts = [record.prompts[0].model_copy(update={"name": attack, "text": attack * 200})]
    changed = {"title": attack, "runs": runs, "prompts": prompts, "comparisons": []}
    hostile = with_derived(record.model_copy(update=changed))
    path = tmp_path / "report.html"
    path.write_text(write_report(hostile, folder).read_text("utf-8"), "utf-8")
    write_report(record, folder)
    report = reports.open(path.as_uri())
    report.page.keyboard.press("]")
    report.page.wait_for_timeout(200)
    assert report.page.evaluate("window.stolen") is None
    assert report.complaints == []
    assert report.page.locator("img").count() == 0


# ---- in step


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
    seen = [report.codes() for _ in range(120)]
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


# ---- controls


def test_a_click_on_the_curve_seeks(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=0")
    report.shown(0)
    report.drawn()
    box = report.page.locator("#plot").bounding_box()
    left, right = 46, box["width"] - 10  # the padding in specs.py
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


def test_a_row_of_the_ranking_selects(reports: Reports, url: str) -> None:
    report = reports.open(url)
    report.page.click("tr[data-pick=cpu-noise] .pick >> visible=true")
    assert report.variant() == "cpu-noise"
    report.address_says("variant=cpu-noise")
    assert report.page.locator("#settings .own:visible").first.is_visible()
    assert report.page.locator("section.chosen .name:visible").first.text_content() == "cpu-noise"


def test_a_worst_frame_leads_there(reports: Reports, url: str, drawn_audit: tuple[AuditRecord, Path]) -> None:
    worst = next(c for c in drawn_audit[0].comparisons if c.candidate == "baseline").metrics["psnr"].worst_frame
    report = reports.open(url)
    report.page.click("tr[data-pick=baseline] a.worst >> visible=true >> nth=0")
    assert report.shown(worst) == [worst, worst]
    assert report.variant() == "baseline"


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


def test_without_the_charting_packages_the_page_says_so_and_the_table_holds(
    reports: Reports, drawn_audit: tuple[AuditRecord, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    charting.cache_clear()
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    try:
        path = tmp_path / "report.html"
        path.write_text(render_html(*drawn_audit), "utf-8")
    finally:
        charting.cache_clear()
    report = reports.open(path.as_uri(), "#prompt=lemon&variant=dpm&frame=0")
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


def test_all_settings_are_shown_on_demand(reports: Reports, url: str) -> None:
    report = reports.open(url)
    hidden = report.page.locator("#settings .same:visible")
    assert hidden.count() == 0
    report.page.check("#all-settings")
    assert hidden.count() == 1


def test_the_command_is_copied(reports: Reports, url: str) -> None:
    report = reports.open(url)
    report.page.click("#copy")
    report.page.locator("#copy .after").wait_for(state="visible")


# ---- state and looks


def test_the_address_says_what_is_shown(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=an+orange+%26+more&variant=cpu-noise&frame=5&metric=ssim")
    assert report.shown(5) == [5, 5]
    assert report.variant() == "cpu-noise"
    assert report.page.locator("#prompt-select").input_value() == "an orange & more"
    assert report.page.locator("#metrics input:checked").input_value() == "ssim"
    assert report.page.locator("#play").get_attribute("aria-pressed") == "false"
    report.page.evaluate("location.hash = '#prompt=lemon&variant=dpm&frame=2'")
    assert report.shown(2) == [2, 2]
    assert report.variant() == "dpm"


@pytest.mark.parametrize(
    "hash_",
    [
        "#frame=999",
        "#frame=-4",
        "#frame=x&variant=nobody",
        "#warnings",
        "#prompt=%E0%A4%A",
        "#frame=1&mode=toString&metric=toString&zoom=x&share=-3&speed=9",
    ],
)
def test_a_strange_address_does_no_harm(reports: Reports, url: str, hash_: str) -> None:
    report = reports.open(url, hash_)
    report.until("!document.querySelector('[data-side=reference] canvas').hidden")
    assert report.variant() == "baseline"
    assert report.complaints == []


def test_a_section_link_keeps_the_selection(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=4")
    report.shown(4)
    report.page.click("a[href='#ignored'] >> visible=true")
    assert report.variant() == "dpm"
    assert report.shown(4) == [4, 4]


BACKGROUND = "getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)"


def test_light_and_dark(reports: Reports, url: str) -> None:
    light = reports.open(url, color_scheme="light")
    dark = reports.open(url, color_scheme="dark")
    assert min(light.page.evaluate(BACKGROUND)) > 200
    assert max(dark.page.evaluate(BACKGROUND)) < 60
    for report, now_dark in ((light, True), (dark, False)):
        report.page.click("#theme")
        assert (max(report.page.evaluate(BACKGROUND)) < 60) is now_dark


def test_plays_by_itself_unless_motion_is_unwanted(reports: Reports, url: str) -> None:
    assert reports.open(url, "").page.locator("#play").get_attribute("aria-pressed") == "true"
    still = reports.open(url, "", reduced_motion="reduce")
    assert still.page.locator("#play").get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_hangs_over_the_edge(reports: Reports, url: str, width: int) -> None:
    report = reports.open(url, viewport={"width": width, "height": 844})
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width


# ---- what is missing


def only(record: AuditRecord, names: set[str], comparisons: list[ComparisonRecord]) -> AuditRecord:
    runs = [run for run in record.runs if run.name in names and run.prompt == "lemon"]
    return record.model_copy(update={"runs": runs, "comparisons": comparisons, "prompts": record.prompts[:1]})


def test_a_missing_preview_leaves_the_other_side_working(
    reports: Reports, drawn_audit: tuple[AuditRecord, Path], tmp_path: Path
) -> None:
    record, folder = drawn_audit
    (tmp_path / "previews").mkdir()
    shutil.copy(folder / "previews" / "lemon-reference.mp4", tmp_path / "previews")
    report = reports.open(write_report(record, tmp_path).as_uri(), "#prompt=lemon&variant=dpm&frame=4")
    assert report.shown(4) == [4, None]
    assert report.page.locator("text=preview file is missing >> visible=true").count() == 1
    assert report.complaints == []


def test_a_video_that_cannot_be_decoded_is_said(
    reports: Reports, drawn_audit: tuple[AuditRecord, Path], tmp_path: Path
) -> None:
    record, folder = drawn_audit
    (tmp_path / "previews").mkdir()
    shutil.copy(folder / "previews" / "lemon-reference.mp4", tmp_path / "previews")
    (tmp_path / "previews" / "lemon-dpm.mp4").write_bytes(b"\x00\x00\x00\x18ftypisom" + bytes(400))
    report = reports.open(write_report(record, tmp_path).as_uri(), "#prompt=lemon&variant=dpm&frame=4")
    assert report.shown(4) == [4, None]
    assert report.page.locator("text=cannot decode >> visible=true").count() == 1


def states(record: AuditRecord) -> dict[str, AuditRecord]:
    lost: list[RunRecord] = [
        run.model_copy(update={"measured": False, "clip": None, "reason": "no quota"})
        if run.role is Role.REFERENCE
        else run
        for run in record.runs
    ]
    return {
        "no comparisons": record.model_copy(update={"comparisons": []}),
        "reference not measured": record.model_copy(update={"runs": lost, "comparisons": []}),
        "no runs": record.model_copy(update={"runs": [], "comparisons": []}),
        "no prompts": record.model_copy(update={"prompts": [], "runs": [], "comparisons": []}),
        "no metrics": record.model_copy(update={"metrics": []}),
        "one variant, no reference": only(record, {"dpm"}, []),
        "only a reference": only(record, {"reference"}, []),
        "no gate": record.model_copy(update={"gate": GateRecord(status=GateStatus.NONE)}),
        "interrupted": record.model_copy(update={"finished": False}),
    }


def test_every_state_opens_quietly(reports: Reports, drawn_audit: tuple[AuditRecord, Path], tmp_path: Path) -> None:
    record, folder = drawn_audit
    shutil.copytree(folder / "previews", tmp_path / "previews")
    for state, changed in states(record).items():
        report = reports.open(write_report(with_derived(changed), tmp_path).as_uri())
        for key in ("ArrowRight", "]", "End", "Space"):
            report.page.keyboard.press(key)
        report.page.wait_for_timeout(150)
        assert report.complaints == [], state
        reports.close()  # else it plays on


def test_one_frame_opens_quietly(reports: Reports, tmp_path: Path) -> None:
    record = synthetic_audit(tmp_path, frames=1)
    report = reports.open(write_report(record, tmp_path).as_uri(), "")
    assert report.shown(0) == [0, 0]
    report.page.keyboard.press("ArrowRight")
    report.page.keyboard.press("Space")
    assert report.shown(0) == [0, 0]
    assert report.complaints == []


def test_odd_sizes_are_shown_without_their_padding(reports: Reports, tmp_path: Path) -> None:
    record = synthetic_audit(tmp_path, frames=2, size=(63, 95))
    report = reports.open(write_report(record, tmp_path).as_uri())
    report.shown(0)
    canvas = report.page.locator('[data-side="reference"] canvas')
    assert [canvas.get_attribute("width"), canvas.get_attribute("height")] == ["95", "63"]
