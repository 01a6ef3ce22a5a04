"""What a source does not show is reported as unknown, never invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.reading import read_text
from spacediff.reading.sources import read_any
from spacediff.why.differences import compare_sources

SCRIPT = """import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b")
video = pipe(prompt="a lemon", generator=torch.Generator("cpu").manual_seed(1)).frames[0]
export_to_video(video, "out.mp4", fps=24)
"""
UNREADABLE = {
    "syntax": (b"def f(:\n", "not Python"),
    "empty": (b"", "no call of a diffusers pipeline"),
    "none": (b"print('x')\n", "no call of a diffusers pipeline"),
    "binary": (bytes(range(256)) * 8, "not Python"),
    "large": (b"#" * (1024 * 1024 + 1), "larger than"),
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("kind", list(UNREADABLE))
def test_a_source_without_a_readable_call_is_an_error_and_gets_no_advice(
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
        printed = capsys.readouterr()
        assert words in " ".join(printed.err.split())
        assert printed.out == ""
    assert not Path(plan).exists()


@pytest.mark.parametrize("source", ["", " "])
def test_an_empty_name_is_an_error(source: str, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_the_call_of_the_wanted_pipeline_class_is_read(tmp_path: Path) -> None:
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
    printed = capsys.readouterr().out
    assert "call.strength: " in printed
    assert "model.pipeline" not in printed.partition("notes")[0]


@pytest.mark.parametrize(
    ("export", "question"),
    [
        ("", "no export of the frames was found"),
        ("mylib.save_video(video, 'x.mp4', fps=24)", "save_video writes the file"),
        ("import imageio; imageio.mimsave('x.mp4', video, fps=24)", "mimsave writes the file"),
    ],
)
def test_defaults_of_an_unknown_export_are_not_invented(export: str, question: str) -> None:
    silent = "import mylib\n" + SCRIPT.replace('export_to_video(video, "out.mp4", fps=24)', export)
    found = compare_sources(read_text(SCRIPT, "run.py"), read_text(silent, "app.py"))
    assert found.differences == []
    asked = [line for line in found.questions if "output.quality" in line]
    assert len(asked) == 1
    assert question in asked[0]
    assert any("output.fps" in line for line in found.questions) == (not export)


def test_defaults_of_export_to_video_are_known() -> None:
    plain = SCRIPT.replace(", fps=24", "")
    found = compare_sources(read_text(SCRIPT, "run.py"), read_text(plain, "app.py"))
    assert [(row.path, row.right.value) for row in found.differences] == [("output.fps", 10)]


def test_the_function_that_writes_the_file_is_part_of_the_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    assert main(["read", str(tmp_path / "run.py"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["exported_by"] == "export_to_video"


def test_lines_of_ipython_are_left_out() -> None:
    plain = SCRIPT.replace("video = pipe", "if True:\n    pass\nvideo = pipe").replace(
        "import torch\n", "import torch\n#\n#\n"
    )
    magic = plain.replace("    pass", "    !nvidia-smi").replace("#\n#\n", "!pip install \\\n  diffusers\n")
    timed = magic.replace("video = pipe", "%time video = pipe").replace("!nvidia-smi", "gpus = !nvidia-smi")
    for text in (magic, timed):
        assert read_text(text, "run.py") == read_text(plain, "run.py")
    rest = "x = (7\n%3)\nnum = 8\n" + SCRIPT.replace("prompt=", "num_inference_steps=(7\n%3), prompt=")
    assert read_text(rest, "run.py").settings.value("call.num_inference_steps") == 1


def notebook(*cells: str | list[str]) -> str:
    written = [{"cell_type": "markdown", "source": "# pipe('x')"}]
    return json.dumps({"cells": [*written, *({"cell_type": "code", "source": cell} for cell in cells)], "nbformat": 4})


def test_a_notebook_is_read_cell_by_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start, _, end = SCRIPT.partition("\nvideo")
    path = tmp_path / "run.ipynb"
    path.write_text(notebook("%%bash\nls (", start.splitlines(keepends=True), "broken (", "!ls\n\nvideo" + end))
    reading = read_any(str(path))
    assert [note.text for note in reading.notes] == ["run.ipynb, cell 4 is not Python"]
    settings = reading.settings
    assert settings["model.id"].where == "run.ipynb, cell 3, line 4"
    assert settings["output.fps"].value == 24
    assert settings["output.fps"].where == "run.ipynb, cell 5, line 4"
    (tmp_path / "app.py").write_text(SCRIPT.replace("fps=24", "fps=8"))
    plan = ["why", "--script", str(path), "--space", str(tmp_path / "app.py"), "--plan-only"]
    assert main(plan) == 0
    printed = capsys.readouterr().out
    assert "nothing in the script can be patched: run.ipynb is not a .py file" in printed
    assert "output.fps: by hand" in printed


def test_a_class_of_a_notebook_is_followed() -> None:
    start, _, end = SCRIPT.partition("\nvideo")
    lines = "".join(f"        {line}\n" for line in f"video{end}".replace('"a lemon"', "prompt").splitlines())
    served = notebook(start, "class Served:\n    def predict(self, prompt='x'):\n" + lines)
    reading = read_text(served, "a.ipynb")
    assert reading.settings.value("output.fps") == 24
    assert reading.inputs["call.prompt"].where == "a.ipynb, cell 3, line 2"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"cells": 3}', b"[" * 100_000, b'{"cells": [3, {}]}'])
def test_a_file_that_is_not_a_notebook_is_an_error(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.ipynb").write_bytes(content)
    assert main(["read", str(tmp_path / "a.ipynb")]) == 2
    assert "a.ipynb" in capsys.readouterr().err


def test_a_large_notebook_with_pictures_is_read(tmp_path: Path) -> None:
    large = json.loads(notebook(SCRIPT))
    large["cells"][1]["outputs"] = ["x" * 2_000_000]
    (tmp_path / "a.ipynb").write_text(json.dumps(large))
    assert read_any(str(tmp_path / "a.ipynb")).called_at


def test_a_file_is_decoded_as_its_first_line_says() -> None:
    latin = "# -*- coding: latin-1 -*-\n" + SCRIPT.replace("a lemon", "Zitronenfrüchte")
    assert read_text(latin.encode("latin-1"), "run.py").settings.value("call.prompt") == "Zitronenfrüchte"
    unknown = latin.replace("latin-1", "klingon").encode()
    assert read_text(unknown, "run.py").settings.value("call.prompt") == "Zitronenfrüchte"


def test_a_different_model_is_given_as_the_reason_for_no_patch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    other = SCRIPT.replace("CogVideoXPipeline", "MochiPipeline").replace("zai-org/CogVideoX-5b", "genmo/mochi")
    (tmp_path / "app.py").write_text(other)
    arguments = ["why", "--script", str(tmp_path / "run.py"), "--space", str(tmp_path / "app.py"), "--plan-only"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert (
        "the script runs CogVideoXPipeline of zai-org/CogVideoX-5b, the Space MochiPipeline of genmo/mochi" in printed
    )


def test_an_argument_that_the_pipeline_does_not_have_gets_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.py").write_text(SCRIPT.replace("prompt=", "guidence_scale=9, num_frames=49, prompt="))
    (tmp_path / "app.py").write_text(SCRIPT)
    for command in (
        ["read", str(tmp_path / "run.py")],
        ["why", "--script", str(tmp_path / "run.py"), "--space", str(tmp_path / "app.py"), "--plan-only"],
    ):
        assert main(command) == 0
        printed = capsys.readouterr().out
        assert "has no argument guidence_scale" in printed
        assert "did you mean guidance_scale?" in printed
        assert "has no argument num_frames" not in printed
    community = SCRIPT.replace('CogVideoX-5b"', 'CogVideoX-5b", custom_pipeline="x"').replace(
        "prompt=", "own=1, prompt="
    )
    (tmp_path / "run.py").write_text(community)
    assert not any(note.kind == "refused argument" for note in read_any(str(tmp_path / "run.py")).notes)


@pytest.mark.parametrize(
    ("export", "prompt"),
    [("", "real"), ('export_to_video(a, "o.mp4")', "warm up"), ('export_to_video(b, "o.mp4")', "real")],
)
def test_the_exported_call_is_read_otherwise_the_last_one(export: str, prompt: str) -> None:
    start, _, _ = SCRIPT.partition("\nvideo")
    calls = f"\na = pipe(prompt='warm up').frames[0]\nb = pipe(prompt='real').frames[0]\n{export}\n"
    assert read_text(start + calls, "run.py").settings.value("call.prompt") == prompt


def test_a_part_whose_checkpoint_is_an_argument_has_the_default_of_that_argument() -> None:
    start, _, end = SCRIPT.partition("pipe =")
    parser = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--model'{})\nargs = p.parse_args()\n"
    vae = "pipe.vae = AutoencoderKLCogVideoX.from_pretrained(args.model, subfolder='vae')\n"
    scripts = [
        f"{start}from diffusers import AutoencoderKLCogVideoX\n{parser.format(default)}pipe ={end}".replace(
            "video = ", f"{vae}video = "
        )
        for default in (", default='a/b'", "")
    ]
    known, unknown = (read_text(script, "run.py") for script in scripts)
    assert known.settings.value("load.vae") == {"class": "AutoencoderKLCogVideoX", "id": "a/b", "subfolder": "vae"}
    assert known.unknowns == {}
    assert "load.vae" in unknown.unknowns


def test_a_negative_seed_is_kept() -> None:
    reading = read_text(SCRIPT.replace("manual_seed(1)", "manual_seed(-1)"), "run.py")
    assert reading.settings.value("rng.seed") == -1
    assert reading.unknowns == {}


def test_an_item_of_sys_argv_is_an_input_with_its_position() -> None:
    reading = read_text("import sys\n" + SCRIPT.replace("manual_seed(1)", "manual_seed(int(sys.argv[2]))"), "run.py")
    assert reading.inputs["rng.seed"].label == "sys.argv[2]"


def test_advice_on_a_lora_gives_lines_that_can_be_typed(tmp_path: Path) -> None:
    from spacediff.why.patch import advise

    lora = """
pipe.load_lora_weights("me/lora", weight_name="a.safetensors", adapter_name="x")
pipe.set_adapters(["x"], [0.7])
pipe.fuse_lora()
video ="""
    path = tmp_path / "run.py"
    path.write_text(SCRIPT)
    plain, hosted = read_text(SCRIPT, "run.py"), read_text(SCRIPT.replace("\nvideo =", lora), "app.py")
    advice = advise(str(path), plain, hosted, compare_sources(plain, hosted))
    load = 'pipe.load_lora_weights("me/lora", weight_name="a.safetensors", adapter_name="x")'
    assert f"+{load}\n+" in advice.patch
    by_hand = advise("no-file.py", plain, hosted, compare_sources(plain, hosted)).by_hand
    assert by_hand["lora.x.id"].startswith(f"add the line {load}")
    assert by_hand["lora.x.weight_name"].startswith(f"comes with {load}")
    assert by_hand["lora.x.scale"].startswith('add the line pipe.set_adapters(["x"], adapter_weights=[0.7])')
    assert by_hand["lora.x.fused"].startswith("add the line pipe.fuse_lora()")
    back = advise(str(path), hosted, plain, compare_sources(hosted, plain)).by_hand
    assert back["lora.x.id"].startswith("remove it (app.py:")
