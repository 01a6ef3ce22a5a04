"""What a scenario or a comparison names and cannot be used is said before anything is made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spacediff.api import compare_videos, record_script, run_audit
from spacediff.clip import write_lossless
from spacediff.errors import InvalidArgument, RecordingNotReadable, ScenarioError, VideoNotReadable
from spacediff.plan import plan_scenario
from spacediff.recordings import RecordedCall, Recording, write_recording
from spacediff.scenario.scenario import load_scenario
from support.clips import moving_ball

SCENARIO = """\
title = "t"
prompts.p = { seed = 1 }
baseline.script = "run.py"
"""


def call(number: int, **more: str) -> RecordedCall:
    return RecordedCall(number=number, where=f"run.py:{number}", outcome="finished", **more)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a script, a text named as a recording, and recordings of two calls and of none with frames."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.py").write_text("")
    (tmp_path / "no-video.py").write_text("print()\n")
    (tmp_path / "text.zip").write_text("no recording")
    (tmp_path / "python").write_text("no interpreter")
    for name, calls in (("two", (call(1), call(2))), ("latent", (call(1, without_clip="it returned latents"),))):
        write_recording(
            Recording(spacediff="1", script="run.py", exit_code=0, calls=calls), tmp_path, tmp_path / f"{name}.zip"
        )
    return tmp_path


@pytest.mark.parametrize(
    ("line", "key", "found", "expected"),
    [
        ("reference.recording.file = 'text.zip'", "reference.recording.file", "text.zip", "that spacediff record has"),
        ("reference.recording.file = 'two.zip'", "reference.recording.call", "nothing", "1 at run.py:1, 2 at run.py:2"),
        (
            "reference.recording = { file = 'two.zip', call = 3 }",
            "reference.recording.call",
            "no call 3",
            "1 at run.py:1",
        ),
        ("reference.recording.file = 'latent.zip'", "reference.recording.file", "it returned latents", "with frames"),
        ("reference.recording.file = 'tw.zip'", "reference.recording.file", "does not exist", "an existing recording"),
        ("baseline.python = 'python'\nreference.variant = 'baseline'", "baseline.python", "'python' (", "Python 3.10"),
        ("baseline.scrip = 'x'\nreference.variant = 'baseline'", "baseline.scrip", "the key 'scrip'", "no settings"),
    ],
)
def test_a_scenario_that_names_what_cannot_be_used_makes_no_folder(
    folder: Path, line: str, key: str, found: str, expected: str
) -> None:
    (folder / "s.toml").write_text(f"{SCENARIO}{line}\n")
    before = {each.name for each in folder.iterdir()}
    with pytest.raises(ScenarioError) as caught:
        run_audit(folder / "s.toml")
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.key) == (4, key)
    assert found in mistake.found
    assert expected in mistake.expected
    assert {each.name for each in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["issue.md", "run.sh", "notes.txt"])
def test_what_is_no_script_of_python_is_not_run(folder: Path, name: str) -> None:
    (folder / name).write_text("open('ran', 'w')")
    with pytest.raises(InvalidArgument, match=f"{name} is no script of Python"):
        record_script(name, out="a.zip")
    assert not {"ran", "a.zip"} & {each.name for each in folder.iterdir()}


def test_a_recording_that_can_be_used_is_no_mistake(folder: Path) -> None:
    recording = "reference.recording = { file = 'two.zip', call = 2 }"
    (folder / "s.toml").write_text(f"{SCENARIO}baseline.python = '{Path(sys.executable).as_posix()}'\n{recording}\n")
    assert plan_scenario(load_scenario(folder / "s.toml")).runs[0].request["call"] == 2


@pytest.mark.parametrize(
    ("name", "error", "message", "hint"),
    [
        ("missing.zip", RecordingNotReadable, "there is no file missing.zip", ""),
        ("text.zip", RecordingNotReadable, "no recording of spacediff", ""),
        ("two.zip", RecordingNotReadable, "two.zip has several calls", "two.zip#2"),
        ("two.zip#3", RecordingNotReadable, "two.zip has no call 3", "1 at run.py:1"),
        ("two.zip#x", RecordingNotReadable, "'x' is no number of a call", "two.zip has the calls 1, 2"),
        ("two.zip#", RecordingNotReadable, "'' is no number of a call", "two.zip has the calls 1, 2"),
        ("missing.mp4", VideoNotReadable, "there is no file missing.mp4", ""),
        ("run.py", VideoNotReadable, "run.py is empty", ""),
        ("no-video.py", VideoNotReadable, "cannot be opened as a video", ""),
    ],
)
def test_a_comparison_of_what_cannot_be_read_makes_no_folder(
    folder: Path, name: str, error: type[Exception], message: str, hint: str
) -> None:
    write_lossless(moving_ball(2), folder / "clip.mkv")
    before = {each.name for each in folder.iterdir()}
    with pytest.raises(error, match=message) as caught:
        compare_videos("clip.mkv", name)
    assert hint in caught.value.hint  # type: ignore[attr-defined] # of a SpacediffError
    assert {each.name for each in folder.iterdir()} == before
