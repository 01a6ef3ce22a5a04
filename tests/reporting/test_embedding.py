from __future__ import annotations

import base64
from pathlib import Path

import pytest

from spacediff.record import AuditRecord, MapRecord
from support.html_page import Page, change_comparison, change_run, draw


def clips(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.data("report-clips")
    return found


def test_equal_previews_are_embedded_once(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    measured = [run for run in record.runs if run.clip]
    assert len(clips(page)) == len({run.clip.digest for run in measured if run.clip}) == len(measured) - 1
    keys = {v["name"]: v["clip"]["key"] for v in page.data("report-data")["prompts"][0]["variants"] if v["clip"]}
    assert keys["on-gpu"] == keys["baseline"] != keys["dpm"]


def test_equal_frames_at_another_rate_are_another_preview(record: AuditRecord, folder: Path) -> None:
    run = record.run("lemon", "on-gpu")
    assert run.clip
    slower = change_run(record, "on-gpu", clip=run.clip.model_copy(update={"fps": 4.0}))
    assert len(clips(draw(slower, folder))) == len(clips(draw(record, folder))) + 1


def test_a_missing_preview_is_said_not_raised(record: AuditRecord, tmp_path: Path) -> None:
    page = draw(record, tmp_path)
    assert clips(page) == {}
    assert "preview file is missing" in page.text
    assert page.data("report-data")["prompts"][0]["clip"] is None


@pytest.mark.parametrize("preview", ["../secret.mp4", "{absolute}", "previews/../../secret.mp4", "notes.txt"])
def test_only_videos_of_the_audit_folder_are_embedded(record: AuditRecord, tmp_path: Path, preview: str) -> None:
    inside = tmp_path / "audit"
    inside.mkdir()
    (tmp_path / "secret.mp4").write_bytes(b"\x00\x00\x00\x18ftypisom secret")
    (inside / "notes.txt").write_bytes(b"not a video")
    run = record.run("lemon", "dpm")
    assert run.clip
    aimed = preview.format(absolute=tmp_path / "secret.mp4")
    page = draw(change_run(record, "dpm", clip=run.clip.model_copy(update={"preview": aimed})), inside)
    assert clips(page) == {}


def test_a_video_of_the_audit_folder_is_embedded(record: AuditRecord, tmp_path: Path) -> None:
    (tmp_path / "own.mp4").write_bytes(b"\x00\x00\x00\x18ftypisom own")
    run = record.run("lemon", "dpm")
    assert run.clip
    page = draw(change_run(record, "dpm", clip=run.clip.model_copy(update={"preview": "own.mp4"})), tmp_path)
    assert [base64.b64decode(text) for text in clips(page).values()] == [b"\x00\x00\x00\x18ftypisom own"]


@pytest.mark.parametrize("file", ["../ssim.png", "{absolute}", "notes.txt", "missing.png"])
def test_only_pictures_of_the_audit_folder_are_embedded_as_maps(record: AuditRecord, tmp_path: Path, file: str) -> None:
    inside = tmp_path / "audit"
    inside.mkdir()
    (tmp_path / "ssim.png").write_bytes(b"\x89PNG\r\n\x1a\n secret")
    (inside / "notes.txt").write_bytes(b"not a picture")
    aimed = MapRecord(file=file.format(absolute=tmp_path / "ssim.png"), columns=3, rows=2)
    assert draw(change_comparison(record, "dpm", map=aimed), inside).data("report-maps") == {}
