"""The page against WCAG 2.2 AA, as far as axe-core can tell: whole, light and dark, wide and narrow; then what changes.

A mode changes the player, and the help is a dialog, so only these are looked at again.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.report_pages import Opened, Reports, violations

pytestmark = pytest.mark.browser


def slow(*values: Any) -> Any:
    """A combination that shares its markup with one of the fast lane."""
    return pytest.param(*values, marks=pytest.mark.slow)


def opened(reports: Reports, url: str, address: str, **options: Any) -> Opened:
    report = reports.open(
        url, f"#prompt=lemon&variant=dpm&frame=3{address}", bypass_csp=True, **options
    )  # for axe itself
    report.until("'position' in player.dataset")
    return report


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "light"), slow(1280, "dark"), slow(390, "dark"), slow(1280, "light")]
)
def test_axe_finds_nothing(reports: Reports, url: str, scheme: str, width: int) -> None:
    report = opened(reports, url, "", color_scheme=scheme, viewport={"width": width, "height": 844})
    assert violations(report) == []


@pytest.mark.parametrize(
    "mode", ["grid", slow("heat"), slow("slider"), slow("blink"), slow("difference"), slow("onion")]
)
def test_axe_finds_nothing_in_any_mode(reports: Reports, url: str, mode: str) -> None:
    assert violations(opened(reports, url, f"&mode={mode}&against="), within="#player") == []


@pytest.mark.parametrize("scheme", ["light", slow("dark")])
def test_axe_finds_nothing_between_two_runs(reports: Reports, url: str, scheme: str) -> None:
    report = opened(reports, url, "&against=baseline", color_scheme=scheme)
    report.page.evaluate("document.querySelector('.unmapped').hidden = false")
    assert violations(report, within="#player") == []


def test_axe_finds_nothing_in_the_help(reports: Reports, url: str) -> None:
    report = opened(reports, url, "")
    report.page.keyboard.press("?")
    assert violations(report, within="dialog[open]") == []


def test_axe_would_find_a_button_without_a_name(reports: Reports, url: str) -> None:
    report = opened(reports, url, "")
    for name in ("aria-label", "title"):
        report.page.evaluate("name => document.querySelector('#play').removeAttribute(name)", name)
    assert any("button-name" in each for each in violations(report, within="#player"))
