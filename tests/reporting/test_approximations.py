"""A verdict on a scenario that is not the script never reads as an all-clear."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from spacediff.cli.summary import show_summary
from spacediff.record import AuditRecord, FactKind, GateRecord, GateStatus, fact
from spacediff.reporting.junit import render_junit
from spacediff.reporting.markdown import render_markdown, render_summary
from support.html_page import Page, draw

SAID = "The script's VAE is float32 (run.py:6), which the scenario does not say."


def classes(page: Page) -> list[str | None]:
    return [attributes.get("class") for attributes in page.named("section")]


def passed(record: AuditRecord) -> AuditRecord:
    return record.model_copy(update={"gate": GateRecord(status=GateStatus.PASSED, variant="as-hosted")})


@pytest.fixture
def approximate(record: AuditRecord) -> AuditRecord:
    given = {"setting": "load.vae", "value": "float32", "where": "run.py:6", "reason": ""}
    return passed(record).model_copy(update={"approximations": [fact(FactKind.APPROXIMATED, **given)]})


def test_the_page_says_it_with_the_verdict_and_shows_no_gate_as_passed(
    record: AuditRecord, approximate: AuditRecord, folder: Path
) -> None:
    exact, page = draw(passed(record), folder), draw(approximate, folder)
    assert "gate g-passed" in classes(exact)
    assert "gate g-passed" not in classes(page)
    assert "gate g-approximate" in classes(page)
    assert SAID in page.text
    assert "Approximate: gate passed" in page.text
    assert "Approximate" not in exact.text


def test_the_terminal_says_it(approximate: AuditRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(approximate, tmp_path)
    printed = capsys.readouterr().out
    assert f"approximate: {SAID}" in printed
    assert "Approximate: gate passed (as-hosted)" in printed


def test_markdown_says_it_first(approximate: AuditRecord) -> None:
    for text in (render_markdown(approximate), render_summary(approximate)):
        bullets = [line.replace("`", "") for line in text.splitlines() if line.startswith("- ")]
        assert bullets[0] == f"- **Approximate**: {SAID}"
        assert any("**Approximate: gate passed**" in line for line in bullets)


def test_junit_skips_the_case_that_the_scenario_is_the_script(record: AuditRecord, approximate: AuditRecord) -> None:
    path = ".//testcase[@name='the scenario is the script']/skipped"
    found = ET.fromstring(render_junit(approximate)).find(path)  # noqa: S314 - our own
    assert found is not None
    assert found.get("message") == f"approximate: {SAID}"
    assert ET.fromstring(render_junit(passed(record))).find(path) is None  # noqa: S314 - our own
