"""Terminal, page, Markdown and JUnit show the order and the rank of the record, and nothing of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from spacediff.cli.summary import show_summary
from spacediff.record import AuditRecord, RankRecord
from spacediff.reporting.html import render_html
from spacediff.reporting.junit import render_junit
from spacediff.reporting.markdown import render_markdown
from support.synthetic_audit import synthetic_audit

SHOWN = ["dpm", "as-hosted", "baseline", "on-gpu", "dynamic-cfg", "cpu-noise", "sequential"]


@pytest.fixture
def record(tmp_path: Path) -> AuditRecord:
    """An audit whose order and ranks no presenter would come to by itself."""
    record = synthetic_audit(tmp_path, frames=2, size=(32, 48))
    overview = record.overview("lemon").model_copy(update={"order": [*SHOWN, "seed-43"]})
    places = {name: RankRecord(place=n + 30, shared=name == "dpm") for n, name in enumerate(SHOWN)}
    comparisons = [each.model_copy(update={"rank": places.get(each.candidate)}) for each in record.comparisons]
    return record.model_copy(update={"overviews": [overview], "comparisons": comparisons})


def test_the_page_shows_the_order_and_the_ranks_of_the_record(record: AuditRecord, tmp_path: Path) -> None:
    rows = render_html(record, tmp_path).split('<table class="ranking">')[1].split("</table>")[0]
    assert re.findall(r'data-pick="([^"]+)"', rows) == [*SHOWN, "seed-43"]
    assert re.findall(r'class="number rank">([^<]+)<', rows)[:3] == ["30=", "31", "32"]


def test_the_markdown_shows_the_order_and_the_ranks_of_the_record(record: AuditRecord) -> None:
    table = render_markdown(record).split("closest first")[1].split("</details>")[0]
    rows = re.findall(r"^\| (\S+) \| `([^`]+)` \|", table, re.MULTILINE)
    assert [name for _, name in rows] == SHOWN
    assert [rank for rank, _ in rows][:3] == ["30=", "31", "32"]


def test_the_terminal_shows_the_order_and_the_ranks_of_the_record(
    record: AuditRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_summary(record, tmp_path)
    rows = re.findall(r"^ *(\d+=?)  +(\S+) ", capsys.readouterr().out, re.MULTILINE)
    assert [name for _, name in rows] == SHOWN[:-1], "what was not compared has no row"
    assert [rank for rank, _ in rows][:3] == ["30=", "31", "32"]


def test_junit_shows_the_order_and_the_ranks_of_the_record(record: AuditRecord) -> None:
    suites = ET.fromstring(render_junit(record))  # noqa: S314 - written here
    cases = [case for case in suites.iter("testcase") if "variants" in case.get("classname", "")]
    assert [case.get("name") for case in cases] == SHOWN
    assert "rank: 30=" in (cases[0].findtext("system-out") or "")


@pytest.mark.parametrize("render", [render_markdown, render_junit])
def test_a_record_without_its_facts_is_refused_instead_of_drawn_empty(
    record: AuditRecord, render: Callable[[AuditRecord], str]
) -> None:
    with pytest.raises(ValueError, match="with_derived"):
        render(record.model_copy(update={"overviews": []}))
