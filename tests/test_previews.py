from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

from harness.clip import read_clip
from harness.record import AuditRecord
from harness.reporting import html
from harness.reporting.html import render_html
from harness.reporting.previews import Previews, embedded_previews
from synthetic_audit import synthetic_audit

FRAMES = 6


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditRecord, Path]:
    folder = tmp_path_factory.mktemp("audit")
    return synthetic_audit(folder, frames=FRAMES, size=(96, 145)), folder


def size(previews: Previews) -> int:
    return sum(len(clip.base64) for clip in previews.clips.values())


def test_within_its_room_a_preview_is_embedded_as_it_is(audit: tuple[AuditRecord, Path]) -> None:
    record, folder = audit
    previews = embedded_previews(record.runs, folder, 10**7)
    files = {path.read_bytes() for path in (folder / "previews").iterdir()}
    assert {base64.b64decode(clip.base64) for clip in previews.clips.values()} <= files
    assert {(clip.width, clip.height) for clip in previews.clips.values()} == {(145, 96)}
    assert previews.note == ""


@pytest.mark.parametrize("share", [0.6, 0.25])
def test_previews_are_shrunk_to_their_room_and_the_page_says_so(
    audit: tuple[AuditRecord, Path], share: float, tmp_path: Path
) -> None:
    record, folder = audit
    room = int(share * size(embedded_previews(record.runs, folder, 10**7)))
    previews = embedded_previews(record.runs, folder, room)
    assert size(previews) <= room
    assert "stays below 10 MB" in previews.note
    for clip in previews.clips.values():
        (tmp_path / "shrunk.mp4").write_bytes(base64.b64decode(clip.base64))
        read = read_clip(tmp_path / "shrunk.mp4")
        assert read.frames.shape[0] == FRAMES
        assert read.fps == 8
        assert read.frames.shape[2] >= clip.width  # what is seen of it, and the padding


def test_a_room_that_cannot_be_reached_is_said(audit: tuple[AuditRecord, Path]) -> None:
    previews = embedded_previews(audit[0].runs, audit[1], 100)
    assert "still this page is larger" in previews.note
    assert len(previews.clips) == 7


def test_the_page_tells_of_shrunk_previews(audit: tuple[AuditRecord, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    record, folder = audit
    assert "compressed anew" not in render_html(record, folder)
    monkeypatch.setattr(html, "BUDGET", html._REST + 60_000)
    assert "compressed anew" in render_html(record, folder)


def test_the_order_of_frames_survives_shrinking(audit: tuple[AuditRecord, Path], tmp_path: Path) -> None:
    record, folder = audit
    previews = embedded_previews(record.runs, folder, size(embedded_previews(record.runs, folder, 10**7)) // 2)
    run = record.run("lemon", "reference")
    assert run.clip
    (tmp_path / "shrunk.mp4").write_bytes(base64.b64decode(previews.clips[f"{run.clip.digest}@8"].base64))
    shrunk = read_clip(tmp_path / "shrunk.mp4").frames.astype(int)
    edge = shrunk.shape[2] // 8
    numbers = [
        sum(2**bit for bit in range(8) if np.mean(frame[edge // 3 : edge // 2, int((bit + 0.5) * edge)]) > 127)
        for frame in shrunk
    ]
    assert numbers == list(range(FRAMES))
