"""What `report` makes of a recording: a page without scripts, Markdown for an issue, and its own JSON."""

from __future__ import annotations

import json
import re
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacediff import InvalidArgument, RecordingNotReadable, render_report, write_report
from spacediff.clip import Clip, write_lossless
from spacediff.record import Ignored, NoiseRecord, StepRecord, TraceRecord
from spacediff.recordings import RecordedCall, Recording, WrittenFile, write_recording

HOSTILE = "<script>alert(1)</script> \u202e @somebody #1 | `x`"
STEPS = [
    StepRecord(timestep=999.0 - n, guidance=6.0 + n, digest=f"d{n}", mean=0.1, std=1.0, norm=2.0, nonfinite=0)
    for n in range(3)
]
NOISE = NoiseRecord(digest="n", mean=0, std=1, low=-3, high=3, shape=[1], dtype="float32", device="cpu")


def call(number: int, **changed: Any) -> RecordedCall:
    usual: dict[str, Any] = {
        "number": number,
        "where": f"run.py:{number + 4}",
        "outcome": "finished",
        "seconds": 61.5,
        "own_seconds": 0.25,
        "prompt": "a lemon",
        "settings": {"model.pipeline": "CogVideoXPipeline", "rng.seed": 42, "rng.device": "cpu", "call.eta": HOSTILE},
        "trace": TraceRecord(steps=STEPS, noise=NOISE),
        "frames": 8,
        "digest": "x",
        "fps": 8,
        "machine": {"torch": "2.13.0"},
        "ignored": (Ignored(argument="load.use_dynamic_cfg", value=True, given_to="CogVideoXPipeline"),),
        "messages": ("it was cut off",),
    }
    return RecordedCall(**usual | changed)


def recorded(folder: Path, *calls: RecordedCall, **changed: Any) -> Path:
    frames = np.random.default_rng(0).integers(0, 255, (8, 32, 48, 3), dtype=np.uint8)
    for each in calls:
        if each.frames:
            write_lossless(Clip(frames, Fraction(8)), folder / f"{each.number}.mkv")
    written = (WrittenFile(name="lemon.mp4", call=1, by="export_to_video", sha256="f" * 64, bytes=9),)
    usual: dict[str, Any] = {"spacediff": "0.2.0", "script": "run.py", "exit_code": 0, "written": written}
    recording = Recording(**usual | {"calls": calls, **changed})
    write_recording(recording, folder, folder / "mine.zip")
    return folder / "mine.zip"


def test_the_page_shows_calls_settings_steps_frames_and_files(tmp_path: Path) -> None:
    file = recorded(tmp_path, call(1), call(2, frames=0, without_clip="the call returned latents"), notes=("its end",))
    (written,) = write_report(file)
    assert written.path == tmp_path / "mine.html"
    page = written.path.read_text("utf-8")
    for shown in (
        "Recording of run.py", "recorded by spacediff 0.2.0 · 2 calls · exit code 0",
        "at run.py:5 · finished · 1 min 2 s, and 0.25 s for recording",
        "3 steps · 8 frames", "seed 42, generator on cpu", "a lemon", "rng.seed", "machine.torch", "997", "lemon.mp4",
        "CogVideoXPipeline ignored the argument load.use_dynamic_cfg", "it was cut off", "the call returned latents",
        "its end",
    ):  # fmt: skip
        assert shown in page, shown
    assert page.count("data:image/jpeg") == 6
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "⟨U+202E⟩" in page


def test_the_policy_allows_the_style_and_no_script(tmp_path: Path) -> None:
    page = render_report(recorded(tmp_path, call(1)), "html")
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert found
    assert "script-src" not in found[1]
    assert found[1].startswith("default-src &#39;none&#39;")


def test_the_markdown_is_inert_and_fits_into_an_issue(tmp_path: Path) -> None:
    text = render_report(recorded(tmp_path, *(call(number, frames=0) for number in range(1, 400))))
    assert len(text) < 61_000
    assert "#### Call 1: CogVideoXPipeline" in text
    assert "| `call.eta` | `` <script>alert(1)</script> ⟨U+202E⟩ @somebody #1 \\| `x` `` |" in text
    assert re.search(r"\n\d+ more calls: see the page\.\n$", text)


def test_the_markdown_names_the_files_that_the_script_wrote(tmp_path: Path) -> None:
    files = [
        WrittenFile(name=f"{number} |<b>.png", call=2, by="save", sha256=f"{number:064}", bytes=9)
        for number in range(50)
    ]
    file = recorded(tmp_path, call(1), call(2, frames=0), written=tuple(files), notes=("its end",))
    text = render_report(file)
    assert "\n\n| file that the script wrote |" in text
    assert f"| `0 \\|<b>.png` | 2 | `save` | `{'0' * 64}` |\n" in text
    assert (text.count("| 2 | `save`"), "\n10 more files: see the page.\n" in text) == (40, True)
    assert text.index("more files") < text.index("#### Call 1")
    assert "that the script wrote" not in render_report(recorded(tmp_path, call(1), written=()))


def test_a_private_recording_shows_no_pictures(tmp_path: Path) -> None:
    hidden = call(1, prompt=None, frames=8, without_clip="the recording is private")
    page = render_report(recorded(tmp_path, hidden, private=True, script=""), "html")
    assert "private: without prompts, pictures and arguments" in page
    assert "data:image" not in page
    assert "No frames:" in page


def test_a_damaged_clip_is_said_and_the_rest_is_shown(tmp_path: Path) -> None:
    file = recorded(tmp_path, call(1))
    with zipfile.ZipFile(file) as archive:
        text = archive.read("recording.json")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("recording.json", text)
        archive.writestr("clips/1.mkv", b"no clip")
    page = render_report(file, "html")
    assert "its clip is damaged" in page
    assert "rng.seed" in page


def test_formats_and_what_only_audits_have(tmp_path: Path) -> None:
    file = recorded(tmp_path, call(1))
    assert json.loads(render_report(file, "json"))["calls"][0]["number"] == 1
    paths = [each.path.name for each in write_report(file, ("html", "md"), out=tmp_path / "shown")]
    assert paths == ["mine.html", "mine.md"]
    with pytest.raises(InvalidArgument, match="has no report format 'junit'"):
        write_report(file, "junit")
    with pytest.raises(InvalidArgument, match="is compared with nothing"):
        render_report(file, against=tmp_path)
    file.write_bytes(b"PK")
    with pytest.raises(RecordingNotReadable, match=r"mine\.zip is damaged"):
        render_report(file)


def test_the_frames_of_the_first_calls_are_shown_whatever_their_numbers(tmp_path: Path) -> None:
    (written,) = write_report(recorded(tmp_path, call(60)))
    assert written.path.read_text("utf-8").count("data:image/jpeg") == 6
