"""Reports in a real browser: how tests draw one, open it, and read back what is on its canvases."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from spacediff.record import AuditRecord, with_derived
from spacediff.reporting.html import write_report
from support.drawn_scene import CODE_BLOCKS, draw_scene, with_codes
from support.synthetic_audit import compare, save_clip, synthetic_audit
from support.synthetic_traces import with_traces

FRAMES = 9
VIEWPORT = {"width": 1280, "height": 800}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
READ_CODES = """([blocks, sides]) => sides.map((side) => {
    const shown = document.querySelector(`[data-side="${side}"] .picture > canvas`);
    if (shown.hidden) return null;
    const edge = Math.floor(shown.width / blocks);
    const canvas = Object.assign(document.createElement("canvas"), { width: shown.width, height: edge });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(shown, 0, 0);
    let number = 0;
    for (let bit = 0; bit < blocks; bit += 1) {
        const [red] = context.getImageData((bit + 0.5) * edge, edge / 2, 1, 1).data;
        if (red > 127) number += 2 ** bit;
    }
    return number;
})"""


AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN_AXE = "([within, rules]) => axe.run(within, { runOnly: rules, resultTypes: ['violations'] })"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@dataclass
class Opened:
    """A report in a browser, with what it complained about and what it asked for."""

    page: Any
    url: str
    plain: bool = True
    """Whether it was opened without an option."""
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    listeners: dict[str, Callable[[Any], None]] = field(init=False)

    def __post_init__(self) -> None:
        self.listeners = {
            "console": lambda message: self.complaints.append(message.text),
            "pageerror": lambda error: self.complaints.append(str(error)),
            "request": lambda request: self.requests.append(request.url),
        }

    def codes(self, *sides: str) -> list[int | None]:
        """The frame numbers that the pictures themselves carry; by default the two that are side by side."""
        found: list[int | None] = self.page.evaluate(READ_CODES, [CODE_BLOCKS, sides or ("reference", "variant")])
        return found

    def shown(self, frame: int) -> list[int | None]:
        """Wait until the page says that a frame is shown, and read both pictures."""
        self.until(f"'position' in player.dataset && document.querySelector('#frame').value === '{frame}'")
        return self.codes()

    def until(self, condition: str) -> None:
        """Wait for a condition; Playwright's own waiting evaluates texts, which the page's policy forbids."""
        end = time.monotonic() + 60
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, f"never became true: {condition}"
            self.page.wait_for_timeout(20)

    def drawn(self) -> None:
        """Wait until all curves that can be seen are drawn."""
        self.until(
            "[...document.querySelectorAll('.ground')].filter((ground) => ground.clientWidth)"
            ".every((ground) => ground.querySelector('.mark-line path'))"
        )

    def go(self, frame: int) -> None:
        self.page.evaluate(
            "n => { const s = document.querySelector('#seek'); s.value = n; s.dispatchEvent(new Event('input')); }",
            frame,
        )

    def variant(self) -> str:
        return str(self.page.locator(".variant-select:visible").input_value())

    def address_says(self, part: str) -> None:
        self.until(f"location.hash.includes('{part}')")


def violations(report: Opened, rules: Sequence[str] = AXE_RULES, within: str = "html") -> list[str]:
    """Return what axe-core finds against WCAG 2.2 AA; the page has to be opened with `bypass_csp` for it.

    Args:
        report: The page.
        rules: The rules, or tags of rules.
        within: Selects the part of the page that is looked at; all of it takes seconds.
    """
    source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    report.page.evaluate(source)
    found: Any = report.page.evaluate(RUN_AXE, [within, [*rules]])
    assert found["passes"]  # it has looked
    return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]


class Reports:
    """Opens reports and closes them again.

    Args:
        browser: Opens contexts and pages.
        spare: Blank pages that earlier tests have left. A page costs a process, and most tests need no option of it.
    """

    def __init__(self, browser: Any, spare: list[Any]) -> None:
        self._browser = browser
        self._spare = spare
        self._opened: list[Opened] = []

    def open(self, url: str, hash_: str = "#frame=0", *, without: str = "", **options: Any) -> Opened:
        """Open a page; `without` is the name of what this browser is to lack."""
        plain = not options and not without
        spare = self._spare if plain else []
        page = spare.pop() if spare else self._browser.new_context(**{"viewport": VIEWPORT, **options}).new_page()
        if without:
            page.add_init_script(f"delete globalThis.{without}")
        opened = Opened(page, url, plain=plain)
        self._opened.append(opened)
        for event, listener in opened.listeners.items():
            page.on(event, listener)
        page.goto(url + hash_)
        return opened

    def close(self) -> None:
        """Close all pages; those without an option are emptied and left for the next test."""
        for opened in self._opened:
            for event, listener in opened.listeners.items():
                opened.page.remove_listener(event, listener)
            if opened.plain:
                opened.page.mouse.move(0, 0)
                opened.page.evaluate("localStorage.clear()")
                opened.page.goto("about:blank")
                self._spare.append(opened.page)
            else:
                opened.page.context.close()
        self._opened.clear()


@pytest.fixture(scope="session")
def spare_pages() -> list[Any]:
    return []


@pytest.fixture
def reports(browser: Any, spare_pages: list[Any]) -> Iterator[Reports]:
    reports = Reports(browser, spare_pages)
    yield reports
    reports.close()


def with_interpolated(record: AuditRecord, folder: Path) -> AuditRecord:
    """Add a variant with twice the frames at twice the rate, mapped frame 2n on frame n."""
    pixels = {
        "reference": draw_scene(FRAMES, (64, 96), hand=True),
        "interpolated": with_codes(draw_scene(2 * FRAMES, (64, 96), hand=True)),
    }
    clip = save_clip(folder, "interpolated", pixels["interpolated"], 16)
    run = record.run("lemon", "dpm").model_copy(update={"name": "interpolated", "key": "interpolated", "clip": clip})
    comparison = compare(record.run("lemon", "reference"), run, pixels, [(n, 2 * n) for n in range(FRAMES)])
    more = {"runs": [*record.runs, run], "comparisons": [*record.comparisons, comparison]}
    return with_derived(record.model_copy(update=more))


@pytest.fixture(scope="session")
def drawn_audit(tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditRecord, Path]:
    folder = tmp_path_factory.mktemp("audit")
    record = with_traces(synthetic_audit(folder, frames=FRAMES, prompts=("lemon", "an orange & more")))
    return with_interpolated(record, folder), folder


@pytest.fixture(scope="session")
def url(drawn_audit: tuple[AuditRecord, Path]) -> str:
    return write_report(*drawn_audit).as_uri()
