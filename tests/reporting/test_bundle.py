from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacediff.clip import read_clip
from spacediff.codec import read_encoding
from spacediff.codec.side_by_side import Panel, write_side_by_side
from spacediff.enclosed import enclose_patch, enclose_script
from spacediff.errors import NotMeasuredError, SpacediffError
from spacediff.record import AuditRecord, with_derived
from spacediff.reporting.bundle import MAX_BYTES, MAX_VIDEO_BYTES, render_bundle
from support.drawn_scene import CODE_BLOCKS, draw_scene, with_codes
from support.synthetic_audit import save_clip, synthetic_audit

FRAMES = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit")


@pytest.fixture(scope="module")
def record(folder: Path) -> AuditRecord:
    return synthetic_audit(folder, frames=FRAMES, size=(64, 96))


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def code_in(picture: np.ndarray, left: int, width: int, top: int) -> int:
    """Read the number that a frame carries as black and white blocks along its upper edge."""
    edge = width // CODE_BLOCKS
    return sum(
        2**bit for bit in range(CODE_BLOCKS) if picture[top + edge // 2, left + round((bit + 0.5) * edge), 0] > 127
    )


def test_page_video_markdown_and_record_are_in_it(record: AuditRecord, folder: Path) -> None:
    bundle = render_bundle(record, folder)
    parts = opened(bundle.content)
    assert list(parts) == [
        "issue.md", "report.html", "side-by-side.mp4", "scenario.toml", "audit.json", "CONTENTS.txt"
    ]  # fmt: skip
    assert parts["scenario.toml"].decode() == record.scenario
    assert bundle.left_out == []
    assert len(bundle.content) < MAX_BYTES
    assert AuditRecord.model_validate_json(parts["audit.json"]).title == record.title
    assert b"reference and baseline side by side" in parts["CONTENTS.txt"]


def test_equal_audits_give_equal_bytes(record: AuditRecord, folder: Path) -> None:
    first, second = (render_bundle(record, folder).content for _ in range(2))
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_video_plays_everywhere_and_pairs_the_frames(tmp_path: Path) -> None:
    left, right = (with_codes(draw_scene(9, (64, 96), hand=hand)) for hand in (True, False))
    ours = Panel(tmp_path / save_clip(tmp_path, "left", left, 8).preview, "left")
    theirs = Panel(tmp_path / save_clip(tmp_path, "right", right, 8).preview, "right")
    pairs = [(n, 2 * n) for n in range(5)]
    made = write_side_by_side(ours, theirs, pairs, 8.0, tmp_path / "side-by-side.mp4", most=MAX_VIDEO_BYTES)
    assert (made.frames, made.size) == (5, (tmp_path / "side-by-side.mp4").stat().st_size)
    encoding = read_encoding(tmp_path / "side-by-side.mp4")
    assert (encoding.codec, encoding.pixel_format, float(encoding.fps)) == ("h264", "yuv420p", 8.0)
    assert encoding.width % 2 == encoding.height % 2 == 0
    content = (tmp_path / "side-by-side.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat"), "the index in front, so that it plays while it loads"
    clip = read_clip(tmp_path / "side-by-side.mp4")
    width, bar = (encoding.width - 4) // 2, 24
    assert [(code_in(frame, 0, width, bar), code_in(frame, width + 4, width, bar)) for frame in clip.frames] == pairs
    assert clip.frames[0, :bar, :width].max() > 150, "the label is drawn"


@pytest.mark.parametrize(
    ("pairs", "fps"), [([(0, 0), (2, 1), (4, 2)], 4), ([(0, 0), (0, 1), (1, 2)], 16), ([(3, 0)], 8)]
)
def test_the_video_keeps_the_references_pace(
    record: AuditRecord, folder: Path, tmp_path: Path, pairs: list[tuple[int, int]], fps: int
) -> None:
    bare: dict[str, Any] = {"frame_map": pairs, "per_frame": {}, "measures": {}, "first_divergence": None, "map": None}
    mapped = [each.model_copy(update=bare) for each in record.comparisons]
    parts = opened(render_bundle(record.model_copy(update={"comparisons": mapped}), folder).content)
    (tmp_path / "side-by-side.mp4").write_bytes(parts["side-by-side.mp4"])
    clip = read_clip(tmp_path / "side-by-side.mp4")
    assert (len(clip.frames), float(clip.fps)) == (len(pairs), fps)


def test_quality_gives_way_before_the_limit_does_and_then_it_is_said(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (6, 128, 192, 3), dtype=np.uint8)
    clip = save_clip(tmp_path, "noise", noise, 8)
    panel, target = Panel(tmp_path / clip.preview, "noise"), tmp_path / "side-by-side.mp4"
    pairs = [(n, n) for n in range(6)]
    whole = write_side_by_side(panel, panel, pairs, 8.0, target, most=MAX_VIDEO_BYTES)
    less = write_side_by_side(panel, panel, pairs, 8.0, target, most=whole.size // 2)
    assert less.quality > whole.quality
    assert less.size <= whole.size // 2
    with pytest.raises(NotMeasuredError, match="larger than"):
        write_side_by_side(panel, panel, pairs, 8.0, target, most=1000)
    assert not target.exists()
    with pytest.raises(NotMeasuredError, match="no pair"):
        write_side_by_side(panel, panel, [], 8.0, target, most=1000)


def test_what_would_pass_the_limit_is_left_out_and_said(record: AuditRecord, folder: Path) -> None:
    sizes = {name: len(content) for name, content in opened(render_bundle(record, folder).content).items()}
    bundle = render_bundle(record, folder, most=60_000)
    parts = opened(bundle.content)
    assert len(bundle.content) <= 60_000
    assert "issue.md" in parts
    assert "report.html" not in parts
    assert sizes["report.html"] > 60_000
    assert any(line.startswith("report.html was left out") for line in bundle.left_out)
    for line in bundle.left_out:
        assert line in parts["CONTENTS.txt"].decode()


def test_the_run_next_to_the_reference_can_be_chosen(record: AuditRecord, folder: Path) -> None:
    parts = opened(render_bundle(record, folder, "dpm").content)
    assert b"reference and dpm side by side" in parts["CONTENTS.txt"]
    assert parts["side-by-side.mp4"] != opened(render_bundle(record, folder).content)["side-by-side.mp4"]
    with pytest.raises(SpacediffError, match="no run 'dmp'"):
        render_bundle(record, folder, "dmp")


def test_a_private_prompt_gives_no_picture_and_no_text(record: AuditRecord, folder: Path) -> None:
    hidden = record.model_copy(update={"prompts": [record.prompts[0].model_copy(update={"private": True})]})
    bundle = render_bundle(hidden, folder)
    parts = opened(bundle.content)
    assert bundle.left_out == ["side-by-side.mp4 was left out: the prompt is private"]
    assert not any(name.endswith(".mp4") for name in parts)
    assert all(b"A hand squeezes" not in content for content in parts.values())
    mp4 = "AAAAIGZ0eX"  # how every MP4 begins, in base64
    assert mp4 in opened(render_bundle(record, folder).content)["report.html"].decode()
    assert mp4 not in parts["report.html"].decode()


def test_script_and_patch_go_along_but_not_where_a_prompt_is_private(record: AuditRecord, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text('prompt = "A hand squeezes"\n')
    enclose_script(tmp_path, tmp_path / "run.py")
    enclose_patch(tmp_path, "-guidance_scale=6\n+guidance_scale=7\n")
    parts = opened(render_bundle(record, tmp_path).content)
    assert parts["script.py"] == b'prompt = "A hand squeezes"\n'
    assert b"+guidance_scale=7" in parts["script.patch"]
    hidden = record.model_copy(update={"prompts": [record.prompts[0].model_copy(update={"private": True})]})
    assert not {"script.py", "script.patch", "scenario.toml"} & opened(render_bundle(hidden, tmp_path).content).keys()


def test_an_entrys_name_leads_nowhere(record: AuditRecord, folder: Path) -> None:
    strange = AuditRecord.model_validate_json(record.model_dump_json().replace('"lemon"', '"../../../x"'))
    made = render_bundle(
        with_derived(strange.model_copy(update={"prompts": [*strange.prompts, *record.prompts]})), folder
    )
    videos = [name for name in opened(made.content) if name.endswith(".mp4")]
    assert videos == ["side-by-side-_________x.mp4"]


def test_missing_clips_are_said(record: AuditRecord, tmp_path: Path) -> None:
    bundle = render_bundle(record, tmp_path)
    assert bundle.left_out == ["side-by-side.mp4 was left out: its clips are not in the audit folder"]


@pytest.mark.parametrize("outside", ["/etc/hostname", "../outside.mp4"])
def test_no_file_outside_the_folder_is_read(record: AuditRecord, folder: Path, outside: str, tmp_path: Path) -> None:
    inside = tmp_path / "audit"
    inside.mkdir()
    (tmp_path / "outside.mp4").write_bytes((folder / "previews" / "lemon-dpm.mp4").read_bytes())
    evil = {"lossless": outside, "preview": outside, "original": outside}
    runs = [
        run.model_copy(update={"clip": run.clip.model_copy(update=evil)}) if run.clip else run for run in record.runs
    ]
    bundle = render_bundle(record.model_copy(update={"runs": runs}), inside)
    assert bundle.left_out == ["side-by-side.mp4 was left out: its clips are not in the audit folder"]
