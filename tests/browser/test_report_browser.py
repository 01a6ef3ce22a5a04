"""The report in a real browser: what is on the screen is read back from the canvases, not believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.record import AuditRecord, with_derived
from spacediff.reporting.html import write_report
from support.report_pages import Reports

pytestmark = pytest.mark.browser


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
    assert len(report.complaints) == 2  # both refusals are reported


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


def test_a_row_of_the_ranking_selects(reports: Reports, url: str) -> None:
    report = reports.open(url)
    report.page.click("tr[data-pick=cpu-noise] .pick >> visible=true")
    assert report.variant() == "cpu-noise"
    report.address_says("variant=cpu-noise")
    assert report.page.locator("#settings .own:visible").first.is_visible()
    assert report.page.locator("section.chosen .name:visible").first.text_content() == "cpu-noise"


IN_VIEW = """() => { const { top, bottom } = document.querySelector("#player").getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight; }"""


def test_a_worst_frame_leads_there(reports: Reports, url: str, drawn_audit: tuple[AuditRecord, Path]) -> None:
    worst = next(c for c in drawn_audit[0].comparisons if c.candidate == "baseline").metrics["psnr"].worst_frame
    report = reports.open(url, reduced_motion="reduce")  # nothing scrolls smoothly
    link = report.page.locator("tr[data-pick=baseline] a.worst >> visible=true >> nth=0")
    for _ in range(2):  # the second time the address has it already
        link.scroll_into_view_if_needed()
        assert not report.page.evaluate(IN_VIEW)
        link.click()
        assert report.shown(worst) == [worst, worst]
        assert report.variant() == "baseline"
        assert report.page.evaluate(IN_VIEW)


def test_the_bar_marks_the_section_in_view(reports: Reports, url: str) -> None:
    report = reports.open(url, reduced_motion="reduce")
    current = "document.querySelector('#sections [aria-current]')?.textContent"
    assert report.page.evaluate(current) == "Answer"
    report.page.click("#sections a[href='#settings']")
    report.until(f"{current} === 'Settings'")
    assert report.page.locator("#sections").is_visible()
    targets = report.page.locator("#sections a").evaluate_all("all => all.map((link) => link.getAttribute('href'))")
    assert all(report.page.locator(target).count() == 1 for target in targets)


def test_a_keyboard_skips_to_the_player(reports: Reports, url: str) -> None:
    report = reports.open(url)
    report.page.keyboard.press("Tab")
    report.page.keyboard.press("Tab")
    report.page.keyboard.press("Enter")
    assert report.page.evaluate("document.activeElement.id") == "player"
    report.page.keyboard.press("Tab")
    assert report.page.evaluate("document.activeElement.closest('#player') !== null")


def test_settings_open_on_what_differs_between_baseline_and_target(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=baseline&frame=0")
    shown = report.page.locator("#settings table:visible")
    assert shown.locator("thead th").all_text_contents() == ["Setting", "baseline", "as-hosted", "reference"]
    assert "scheduler.class" in shown.locator("tbody.changed").inner_text()
    equal = report.page.locator("#settings .same:visible")
    assert equal.count() == 0
    report.page.uncheck("#only-differing")
    assert equal.count() == 1


def test_the_command_is_copied(reports: Reports, url: str) -> None:
    report = reports.open(url)
    report.page.click("#copy")
    report.page.locator("#copy .after").wait_for(state="visible")


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


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_hangs_over_the_edge(reports: Reports, url: str, width: int) -> None:
    report = reports.open(url, viewport={"width": width, "height": 844})
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width


def test_tables_stack_on_a_phone_and_scroll_nowhere(reports: Reports, url: str) -> None:
    report = reports.open(url, viewport={"width": 390, "height": 844})
    report.until("document.querySelector('table.stacked') !== null")
    assert (
        report.page.locator("main .wide:visible:not(details *)").evaluate_all(
            "all => all.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.ariaLabel)"
        )
        == []
    )
    cell = report.page.locator("#environment td").first
    assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Local"'
    report.page.evaluate("document.querySelector('table.environment').classList.remove('stacked')")
    assert cell.evaluate("cell => getComputedStyle(cell).display") == "table-cell"


def test_nothing_is_announced_while_it_plays(reports: Reports, url: str) -> None:
    """Live regions that change with each frame would speak without end."""
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=0")
    report.shown(0)
    report.page.evaluate("""() => {
        window.announced = [];
        const live = 'output, [role="status"], [role="alert"], [aria-live]';
        new MutationObserver((changes) => {
            for (const { target } of changes) {
                const region = (target.closest ? target : target.parentElement)?.closest(live);
                if (region && region.getAttribute("aria-live") !== "off") window.announced.push(region.outerHTML);
            }
        }).observe(document.body, { childList: true, characterData: true, subtree: true });
    }""")
    report.page.click("#play")
    report.until("Number(document.querySelector('#frame').value) > 2")
    assert report.page.evaluate("window.announced") == []
    report.page.evaluate("document.querySelector('#zoom-value').value = 'changed'")
    report.until("window.announced.length === 1")  # it would be seen


def test_a_choice_is_kept_for_the_next_page_and_a_link_shows_what_its_sender_saw(reports: Reports, url: str) -> None:
    report = reports.open(url, "")
    mode = report.page.locator("#views input:checked")
    report.page.check("#views input[value=slider]", force=True)
    report.page.goto("about:blank")
    report.page.goto(url)
    assert mode.input_value() == "slider"
    report.page.goto("about:blank")
    report.page.goto(url + "#prompt=lemon&variant=dpm&frame=1")
    assert mode.input_value() == "side"


def test_without_storage_the_page_works(reports: Reports, url: str, tmp_path: Path) -> None:
    """A chat may open it in a sandbox, where storage and the own address are forbidden."""
    frame = tmp_path / "chat.html"
    frame.write_text(f'<iframe sandbox="allow-scripts" src="{url}" width="390" height="800"></iframe>', "utf-8")
    report = reports.open(frame.as_uri(), "", viewport={"width": 390, "height": 844})
    inside = report.page.frame_locator("iframe")
    inside.locator("#views input[value=onion]").check(force=True)
    inside.locator(".both .picture").wait_for(state="visible")
    assert inside.locator("#undecodable:visible").count() == 0
    assert report.complaints == []


def test_the_link_of_what_is_shown_opens_the_same_again(reports: Reports, url: str) -> None:
    report = reports.open(url, "#prompt=lemon&variant=dpm&frame=3", permissions=["clipboard-read", "clipboard-write"])
    report.shown(3)
    report.page.check("#views input[value=onion]", force=True)
    report.page.click("#copy-link")
    report.page.locator("#copy-link .after").wait_for(state="visible")
    copied = report.page.evaluate("navigator.clipboard.readText()")
    again = reports.open(copied, "")
    again.shown(3)
    assert copied.startswith(f"{url}#prompt=lemon&variant=dpm&frame=3")
    assert again.page.locator("#views input[value=onion]").is_checked()


def test_a_viewer_without_scripts_shows_both_pictures_where_they_differ_most(
    reports: Reports, url: str, drawn_audit: tuple[AuditRecord, Path]
) -> None:
    """The preview of a chat: text and pictures, and nothing runs."""
    worst = next(c for c in drawn_audit[0].comparisons if c.candidate == "baseline").metrics["psnr"].worst_frame
    report = reports.open(url, java_script_enabled=False, viewport={"width": 390, "height": 844})
    pictures = report.page.locator(".posters img")
    assert [each.get_attribute("alt") for each in pictures.all()] == [
        f"Frame {worst} of reference",
        f"Frame {worst} of baseline",
    ]
    assert all((each.bounding_box() or {"width": 0})["width"] > 100 for each in pictures.all())
    assert report.page.locator(".verdict").first.is_visible()
    assert not report.page.locator("#player").is_visible()
    assert reports.open(url).page.locator(".posters").count() == 0
