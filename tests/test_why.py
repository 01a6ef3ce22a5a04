"""The plan at no cost: a script and a Space, read and held against each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.reading import Reading, read_source, read_text
from harness.scenario import parse_scenario
from harness.settings import Origin
from harness.why import call_defaults, compare_sources, completed, scenario_text

SOURCES = Path(__file__).parent / "data" / "sources"
SCRIPT = """
import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.bfloat16)
pipe.enable_model_cpu_offload()
video = pipe(prompt="a lemon").frames[0]
export_to_video(video, "out.mp4", fps=8)
"""


@pytest.fixture(scope="module")
def demo() -> Reading:
    return read_source(SOURCES / "cogvideox_demo")


def test_who_changed_nothing_is_told_what_the_library_does(demo: Reading) -> None:
    found = compare_sources(read_text(SCRIPT, "run.py"), demo)
    rows = {row.path: (row.left.value, row.right.value) for row in found.differences}
    assert rows["call.guidance_scale"] == (6, 7.0)
    assert rows["call.use_dynamic_cfg"] == (False, True)
    assert rows["scheduler.class"] == ("nothing said", "CogVideoXDPMScheduler")
    assert rows["scheduler.timestep_spacing"] == ("nothing said", "trailing")
    by_path = {row.path: row for row in found.differences}
    assert by_path["call.use_dynamic_cfg"].left.where == "CogVideoXPipeline.__call__"
    assert by_path["call.use_dynamic_cfg"].right.where.startswith("app.py:")
    assert by_path["call.use_dynamic_cfg"].known
    assert "call.num_inference_steps" not in rows, "50 is the default, and what the demo gives"
    assert found.equal >= 5
    assert any("output.fps" in question and "app.py" in question for question in found.questions)
    assert any("frame interpolation" in note for note in found.notes)


def test_a_source_agrees_with_itself(demo: Reading) -> None:
    found = compare_sources(demo, demo)
    assert found.differences == []
    assert any("placement" in question for question in found.questions), "an unknown value never counts as equal"


def test_what_is_ignored_is_told() -> None:
    ignoring = SCRIPT.replace("torch_dtype=torch.bfloat16", "torch_dtype=torch.bfloat16, use_dynamic_cfg=True")
    found = compare_sources(read_text(ignoring, "run.py"), read_text(SCRIPT, "app.py"))
    assert any("use_dynamic_cfg" in note and "ignored" in note for note in found.notes)


def test_defaults_are_those_of_the_installed_library() -> None:
    import inspect

    from harness.torchvision_mend import mend_torchvision

    mend_torchvision()
    import diffusers

    for name in ("CogVideoXPipeline", "WanPipeline", "StableDiffusionPipeline"):
        signature = inspect.signature(getattr(diffusers, name).__call__)
        read = call_defaults(name)
        assert read["num_inference_steps"] == 50
        assert all(signature.parameters[argument].default == value for argument, value in read.items())
    assert call_defaults("NoSuchPipeline") == {}
    assert call_defaults("not a name; import os") == {}


def test_defaults_of_inputs_count_and_say_where() -> None:
    asking = """
import gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b")
def run(steps):
    return pipe(prompt="a lemon", num_inference_steps=steps).frames[0]
gr.Interface(run, gr.Slider(1, 99, value=31), gr.Video())
"""
    settings = completed(read_text(asking, "app.py"))
    assert settings.value("call.num_inference_steps") == 31
    assert settings["call.num_inference_steps"].origin is Origin.READ


def test_the_scenario_measures_what_was_read(demo: Reading) -> None:
    script = read_text(SCRIPT, "run.py")
    text = scenario_text(compare_sources(script, demo), script, "org/space")
    scenario = parse_scenario(text, Path("why.toml"))
    assert scenario.settings_of("baseline").value("placement") == "model_cpu_offload"
    hosted = scenario.settings_of("as-hosted")
    assert hosted.value("call.use_dynamic_cfg") is True
    assert hosted.value("scheduler.class") == "CogVideoXDPMScheduler"
    assert scenario.explain
    assert scenario.prompts["main"].text == "a lemon"
    assert "# open: what is output.fps in the Space?" in text


def test_hostile_texts_make_a_scenario_all_the_same() -> None:
    hostile = SCRIPT.replace("a lemon", 'x"]\\n[gate]\\nvariant = \\"\\u0007').replace("5b", '5b\\"\\n')
    script = read_text(hostile, "run.py")
    text = scenario_text(compare_sources(script, script), script, 'org/"\n[x]')
    assert text.count("\n[gate]\n") == 1


def test_the_plan_is_quick_and_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    code = (
        "import sys; from harness.cli import main; code = main(sys.argv[1:]);"
        "print(*({'torch', 'diffusers', 'transformers'} & set(sys.modules))); sys.exit(code)"
    )
    arguments = ["why", "--script", tmp_path / "run.py", "--space", SOURCES / "cogvideox_demo", "--plan-only"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""
    assert "call.use_dynamic_cfg" in done.stdout


def test_a_scenario_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    arguments = ["why", "--script", str(tmp_path / "run.py"), "--space", str(SOURCES / "cogvideox_demo"),
                 "--plan-only", "--write", str(tmp_path / "why.toml")]  # fmt: skip
    assert main(arguments) == 0
    assert "spacediff audit" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "is there already" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("missing", ["--script", "--space"])
def test_a_source_that_is_not_there_is_exit_code_2(
    missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = {"--script": str(SOURCES / "cogvideox_t2v.py"), "--space": str(SOURCES / "cogvideox_demo")}
    there[missing] = str(tmp_path / "none.py")
    assert main(["why", *(word for pair in there.items() for word in pair), "--plan-only"]) == 2
    assert "none.py" in capsys.readouterr().err
