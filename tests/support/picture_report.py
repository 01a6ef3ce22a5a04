"""Takes the pictures of the report in docs/, from the audit of the quickstart: `make pictures`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from support.paths import ROOT

DOCS = ROOT / "docs"
MODES = ("side", "slider", "blink", "difference", "heat", "onion", "grid")
STAGE = "#prompt=meeting&variant=baseline&frame=12&metric=ssim"


def main() -> None:
    """Take all pictures of the quickstart's report."""
    url = (DOCS.parent / "audits" / "quickstart" / "report.html").as_uri()
    with _chromium() as browser:
        _keep("report", _opened(browser, url, STAGE).screenshot())
        _keep("report-dark", _opened(browser, url, STAGE, color_scheme="dark").screenshot())
        for mode in MODES[1:]:
            page = _opened(browser, url, f"{STAGE}&mode={mode}", viewport={"width": 1280, "height": 900})
            _keep(f"report-{mode}", page.locator("#player").screenshot())
        phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
        page = _opened(browser, url, f"{STAGE}&mode=slider", **phone)
        _keep("report-phone", page.screenshot())
        page.locator(".stage").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('.stage').scrollIntoView({ behavior: 'instant' })")
        _keep("report-phone-player", page.screenshot())
        page = _opened(browser, url, STAGE, viewport={"width": 794, "height": 1123})  # A4 at 96 pixels an inch
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        _keep("report-print", page.screenshot())


def _opened(browser: Browser, url: str, address: str, **options: Any) -> Page:
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "color_scheme": "light", **options})
    page = context.new_page()
    page.goto(url + address)
    page.wait_for_selector("#strip[data-filled]", state="attached")
    page.wait_for_selector("#plot .ground svg", state="attached")
    page.wait_for_timeout(300)
    return page


def _keep(name: str, png: bytes) -> None:
    """Write a picture with a palette: a page has few colours, and a repository keeps every byte for ever."""
    path = DOCS / f"{name}.png"
    Image.open(BytesIO(png)).convert("RGB").quantize(256).save(path, optimize=True)
    sys.stdout.write(f"{path.name}: {path.stat().st_size // 1000} kB\n")


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = next(found for name in ("chromium", "google-chrome") if (found := shutil.which(name)))
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


if __name__ == "__main__":
    main()
