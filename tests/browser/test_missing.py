"""The report in a real browser where something is missing or has an odd size."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from spacediff.record import AuditRecord, ComparisonRecord, GateRecord, GateStatus, Role, RunRecord, with_derived
from spacediff.reporting.html import write_report
from support.report_pages import Reports
from support.synthetic_audit import synthetic_audit

pytestmark = pytest.mark.browser


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
