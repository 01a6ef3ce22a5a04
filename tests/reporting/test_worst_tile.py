"""The worst tile of a comparison is shown wherever the comparison is."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.cli.summary import show_summary
from spacediff.record import AuditRecord, WorstTileRecord
from spacediff.reporting.html import render_html
from spacediff.reporting.markdown import render_markdown
from spacediff.wording import place_of_tile, worst_tile_text


def tile_of(record: AuditRecord, name: str) -> WorstTileRecord:
    found = next(each.worst_tile for each in record.comparisons if each.candidate == name)
    assert found is not None
    return found


def test_the_sentence_has_error_drift_and_place() -> None:
    tile = WorstTileRecord(error=9.304, frame=12, x=48, y=16, width=16, height=16, drift=0.0931)
    assert worst_tile_text(tile) == "9.30 levels, drift 0.093, in 16x16 pixels at (48, 16) in frame 12"
    unknown = tile.model_copy(update={"drift": None})
    assert worst_tile_text(unknown) == "9.30 levels in 16x16 pixels at (48, 16) in frame 12"


def test_the_page_shows_it_with_the_metrics_and_names_the_gates_limit(record: AuditRecord, folder: Path) -> None:
    page = render_html(record, folder)
    tile, other = tile_of(record, "baseline"), tile_of(record, "dpm")
    tables = page.split('class="card scales"')
    assert any(place_of_tile(tile) in each and f"{tile.error:.2f}" in each for each in tables[1:])
    assert place_of_tile(other) in page
    assert "drift at most 0.05, in the worst tile 0.05" in page


def test_markdown_and_terminal_show_it(record: AuditRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tile = tile_of(record, "baseline")
    table = render_markdown(record).split("closest first")[1].split("</details>")[0]
    (row,) = (line for line in table.splitlines() if "`baseline`" in line)
    assert f"{tile.error:.2f}: {place_of_tile(tile)}" in row
    show_summary(record, tmp_path)
    assert f"worst tile of baseline: {worst_tile_text(tile)}" in capsys.readouterr().out


def test_equal_clips_have_none(record: AuditRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    equal = [each.model_copy(update={"worst_tile": None}) for each in record.comparisons]
    shown = record.model_copy(update={"comparisons": equal})
    show_summary(shown, tmp_path)
    assert "worst tile" not in capsys.readouterr().out
    assert any(line.endswith("| — |") for line in render_markdown(shown).splitlines())
