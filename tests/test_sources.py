"""What a source cannot tell is said, and never made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.reading import read_text
from harness.reading.sources import read_any
from harness.why import compare_sources

SCRIPT = """import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b")
video = pipe(prompt="a lemon", generator=torch.Generator("cpu").manual_seed(1)).frames[0]
export_to_video(video, "out.mp4", fps=24)
"""
UNREADABLE = {
    "syntax": (b"def f(:\n", "no Python"),
    "empty": (b"", "no call of a diffusers pipeline"),
    "none": (b"print('x')\n", "no call of a diffusers pipeline"),
    "binary": (bytes(range(256)) * 8, "no Python"),
    "large": (b"#" * (1024 * 1024 + 1), "larger than"),
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("kind", list(UNREADABLE))
def test_where_nothing_was_read_there_is_an_error_and_no_advice(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, words = UNREADABLE[kind]
    (tmp_path / "run.py").write_text(SCRIPT)
    (tmp_path / "space").mkdir()
    bad = tmp_path / "space" / "app.py"
    bad.write_bytes(content)
    there, wrong, plan = str(tmp_path / "run.py"), str(bad), str(tmp_path / "why.toml")
    for command in (
        ["read", wrong],
        ["why", "--script", wrong, "--space", there, "--plan-only", "--write", plan],
        ["why", "--script", there, "--space", str(bad.parent), "--plan-only", "--write", plan],
    ):
        assert main(command) == 2
        told = capsys.readouterr()
        assert words in " ".join(told.err.split())
        assert told.out == ""
    assert not Path(plan).exists()


@pytest.mark.parametrize("source", ["", " "])
def test_an_empty_name_is_no_folder(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", source]) == 2
    assert "no source is named" in capsys.readouterr().err


BRANCHES = """
import gradio as gr, torch
from diffusers import CogVideoXPipeline, CogVideoXVideoToVideoPipeline
from diffusers.utils import load_video
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b").to("cuda")
pipe_video = CogVideoXVideoToVideoPipeline.from_pretrained("zai-org/CogVideoX-5b").to("cuda")
def go(prompt, video, strength):
    if video is not None:
        return pipe_video(video=load_video(video), prompt=prompt, strength=strength).frames[0]
    return pipe(prompt=prompt, num_frames=49).frames[0]
gr.Interface(go, [gr.Textbox(), gr.Video(), gr.Slider(0.1, 1, value=0.6, label="Strength")], gr.Video()).launch()
"""


def test_the_call_of_the_scripts_own_pipeline_is_read(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(BRANCHES)
    reading = read_any(str(tmp_path), "CogVideoXVideoToVideoPipeline")
    assert reading.settings.value("model.pipeline") == "CogVideoXVideoToVideoPipeline"
    assert reading.inputs["call.strength"].default == 0.6
    assert "call.num_frames" not in reading.settings
    for other in ("", "CogVideoXPipeline", "MochiPipeline"):
        assert read_any(str(tmp_path), other).settings.value("model.pipeline") == "CogVideoXPipeline"


def test_why_compares_with_the_matching_branch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text(BRANCHES)
    script = SCRIPT.replace("CogVideoXPipeline", "CogVideoXVideoToVideoPipeline").replace(
        "pipe(", "pipe(strength=0.9, "
    )
    (tmp_path / "run.py").write_text(script)
    assert main(["why", "--script", str(tmp_path / "run.py"), "--space", str(tmp_path), "--plan-only"]) == 0
    told = capsys.readouterr().out
    assert "call.strength: " in told
    assert "model.pipeline" not in told.partition("notes")[0]


@pytest.mark.parametrize(
    ("export", "question"),
    [
        ("", "no export of the frames was found"),
        ("mylib.save_video(video, 'x.mp4', fps=24)", "save_video makes the file"),
        ("import imageio; imageio.mimsave('x.mp4', video, fps=24)", "mimsave makes the file"),
    ],
)
def test_defaults_of_an_export_that_is_not_called_are_not_made_up(export: str, question: str) -> None:
    silent = "import mylib\n" + SCRIPT.replace('export_to_video(video, "out.mp4", fps=24)', export)
    found = compare_sources(read_text(SCRIPT, "run.py"), read_text(silent, "app.py"))
    assert found.differences == []
    asked = [line for line in found.questions if "output.quality" in line]
    assert len(asked) == 1
    assert question in asked[0]
    assert any("output.fps" in line for line in found.questions) == (not export)


def test_defaults_of_an_export_that_is_called_are_known() -> None:
    plain = SCRIPT.replace(", fps=24", "")
    found = compare_sources(read_text(SCRIPT, "run.py"), read_text(plain, "app.py"))
    assert [(row.path, row.right.value) for row in found.differences] == [("output.fps", 10)]


def test_who_makes_the_file_is_told_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    assert main(["read", str(tmp_path / "run.py"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["exported_by"] == "export_to_video"
