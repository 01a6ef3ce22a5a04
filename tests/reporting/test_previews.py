from __future__ import annotations

import base64
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from spacediff.clip import read_clip, write_preview
from spacediff.codec.map_tiles import split_tiles
from spacediff.record import AuditRecord, SmallPreview, quoted
from spacediff.reporting import html
from spacediff.reporting.html import render_html
from spacediff.reporting.maps import embedded_maps
from spacediff.reporting.previews import Previews, embedded_previews
from support.synthetic_audit import synthetic_audit

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
    assert "re-encoded" in previews.note
    for clip in previews.clips.values():
        (tmp_path / "shrunk.mp4").write_bytes(base64.b64decode(clip.base64))
        read = read_clip(tmp_path / "shrunk.mp4")
        assert read.frames.shape[0] == FRAMES
        assert read.fps == 8
        assert read.frames.shape[2] >= clip.width  # what is seen of it, and the padding


def test_without_a_preview_no_room_is_too_small(audit: tuple[AuditRecord, Path], tmp_path: Path) -> None:
    assert embedded_previews(audit[0].runs, tmp_path, -1) == Previews({})


def note_of(page: str) -> str:
    return page.partition('class="label shrunk">')[2].partition("</p>")[0]


@pytest.mark.parametrize("texts", [0, 300_000])
def test_a_page_stays_within_its_budget_and_says_what_that_took(
    audit: tuple[AuditRecord, Path], monkeypatch: pytest.MonkeyPatch, texts: int
) -> None:
    record, folder = audit
    record = record.model_copy(update={"warnings": [quoted("é" * texts)]})
    whole = render_html(record, folder)
    assert note_of(whole) == ""
    pictures = size(embedded_previews(record.runs, folder, 10**7)) + embedded_maps(record, folder, 10**7).size
    budget = len(whole.encode()) - pictures // 2
    monkeypatch.setattr(html, "BUDGET", budget)
    page = render_html(record, folder)
    assert len(page.encode()) <= budget
    assert "re-encoded" in note_of(page)
    assert "This keeps the page below" in note_of(page)


def test_a_page_that_cannot_stay_within_its_budget_says_by_how_much(
    audit: tuple[AuditRecord, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    record, folder = audit
    monkeypatch.setattr(html, "BUDGET", 100_000)
    page = render_html(record.model_copy(update={"warnings": [quoted("x" * 2_000_000)]}), folder)
    over = (len(page.encode()) - 100_000) / 10**6
    said = re.search(r"The page is still ([\d.]+) MB larger than its limit of 0\.1 MB", note_of(page))
    assert said
    assert float(said[1]) == pytest.approx(over, abs=0.01)
    assert "stays below" not in note_of(page)


def test_maps_are_shrunk_in_whole_cells(audit: tuple[AuditRecord, Path]) -> None:
    record, folder = audit
    whole = embedded_maps(record, folder, 10**7)
    less = embedded_maps(record, folder, whole.size // 2)
    assert less.size <= whole.size // 2
    assert less.found.keys() == whole.found.keys()
    assert "the mean of 4 measured cells" in less.note
    for name, found in less.found.items():
        before, after = (
            split_tiles(decoded(each.png), each.rows, each.columns).astype(float) for each in (whole.found[name], found)
        )
        assert after.shape == (FRAMES, before.shape[1] // 2, before.shape[2] // 2)
        assert np.abs(after.mean(axis=(1, 2)) - before.mean(axis=(1, 2))).max() < 3


def decoded(png: str) -> NDArray[np.uint8]:
    levels = cv2.imdecode(np.frombuffer(base64.b64decode(png), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert levels is not None
    return np.asarray(levels, np.uint8)


def test_a_map_that_is_not_as_the_record_tells_is_not_shrunk(audit: tuple[AuditRecord, Path]) -> None:
    record, folder = audit
    lying = [
        each.model_copy(update={"map": each.map and each.map.model_copy(update={"columns": 7, "across": 3})})
        for each in record.comparisons
    ]
    assert embedded_maps(record.model_copy(update={"comparisons": lying}), folder, 1).found == {}


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


def with_small(record: AuditRecord, folder: Path, names: set[str]) -> AuditRecord:
    """Write small previews of some runs beside their own, as a run does."""
    runs = []
    for run in record.runs:
        if run.clip and run.name in names:
            file = f"previews/{run.name}-small.mp4"
            write_preview(read_clip(folder / run.clip.preview), folder / file, quality=30, key_frames=12)
            small = SmallPreview(file=file, quality=30)
            run = run.model_copy(update={"clip": run.clip.model_copy(update={"small": small})})  # noqa: PLW2901
        runs.append(run)
    return record.model_copy(update={"runs": runs})


@pytest.mark.parametrize(("only", "said"), [(None, "The clips in this page"), ("as-hosted", "1 of the 7 clips")])
def test_previews_that_were_written_small_are_embedded_as_they_are_and_the_page_says_so(
    audit: tuple[AuditRecord, Path], only: str | None, said: str
) -> None:
    record, folder = audit
    names = {run.name for run in record.runs if run.clip}
    record = with_small(record, folder, {only} if only else names)
    whole = embedded_previews(record.runs, folder, 10**7)
    assert whole.note == ""
    previews = embedded_previews(record.runs, folder, size(whole) - 1)
    files = {path.read_bytes() for path in (folder / "previews").iterdir()}
    assert {base64.b64decode(clip.base64) for clip in previews.clips.values()} <= files
    changed = sum(previews.clips[key] != clip for key, clip in whole.clips.items())
    assert changed == (1 if only else len(whole.clips))
    assert previews.note.startswith(said)
    assert "full size (x264, rate factor 30)" in previews.note


def test_previews_that_were_written_small_are_shrunk_further_where_there_is_less_room(
    audit: tuple[AuditRecord, Path],
) -> None:
    record, folder = audit
    record = with_small(record, folder, {run.name for run in record.runs if run.clip})
    small = size(embedded_previews(record.runs, folder, size(embedded_previews(record.runs, folder, 10**7)) - 1))
    previews = embedded_previews(record.runs, folder, small - 1)
    assert size(previews) < small
    assert "of their width and height" in previews.note


def test_a_small_preview_outside_of_the_audit_folder_is_not_embedded(
    audit: tuple[AuditRecord, Path], tmp_path: Path
) -> None:
    record, folder = audit
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(b"\x00\x00\x00\x18ftypisom secret")
    runs = [
        run.model_copy(
            update={"clip": run.clip.model_copy(update={"small": SmallPreview(file=str(outside), quality=23)})}
        )
        for run in record.runs
        if run.clip
    ]
    previews = embedded_previews(runs, folder, size(embedded_previews(runs, folder, 10**7)) - 1)
    assert base64.b64encode(outside.read_bytes()).decode() not in {clip.base64 for clip in previews.clips.values()}
    assert len(previews.clips) == 7
