"""A written scenario loads, and what it cannot say is left open in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.reading import read_text
from spacediff.scenario.scenario import Scenario, load_scenario, parse_scenario
from spacediff.why.differences import compare_sources
from spacediff.why.scenario_writer import corrected_text, scenario_text

SCRIPT = """
import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.bfloat16)
video = pipe(prompt="a lemon", guidance_scale=6.5, generator=torch.Generator("cpu").manual_seed(1)).frames[0]
export_to_video(video, "out.mp4", fps=8)
"""
LORA = """
pipe.load_lora_weights("me/lora", weight_name="a.safetensors", adapter_name="x")
pipe.set_adapters(["x"], [0.7])
video ="""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def written(script: str, space: str) -> tuple[str, Scenario]:
    """Return the written scenario as text and loaded; the corrected one has to load too."""
    left, right = read_text(script, "run.py"), read_text(space, "app.py")
    found = compare_sources(left, right)
    every = {row.path for row in found.differences}
    parse_scenario(corrected_text(found, left, right, "org/space", every), Path("corrected.toml"))
    text = scenario_text(found, left, right, "org/space")
    return text, parse_scenario(text, Path("why.toml"))


def opened(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("# open: ")]


def test_a_difference_without_a_place_in_a_scenario_is_left_open() -> None:
    text, _ = written(SCRIPT, SCRIPT.replace("\nvideo =", LORA))
    for path, value in (("lora.id", "'me/lora'"), ("lora.scale", "0.7")):
        (line,) = [line for line in opened(text) if path in line]
        assert value in line
        assert "in the Space" in line


def test_what_only_the_script_gives_is_left_open() -> None:
    text, scenario = written(SCRIPT.replace("guidance_scale", 'negative_prompt="worst", guidance_scale'), SCRIPT)
    assert scenario.settings_of("as-hosted").value("call.negative_prompt") == "worst"
    (line,) = opened(text)
    assert "call.negative_prompt" in line
    assert "a variant cannot take it back" in line


def test_what_both_set_without_a_place_in_a_scenario_is_left_open() -> None:
    both = SCRIPT.replace("\nvideo =", LORA)
    text, _ = written(both, both)
    assert any("lora.id: 'me/lora'" in line and "in the script" in line for line in opened(text))


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        (("\nvideo =", "\npipe.transformer = torch.compile(pipe.transformer)\nvideo ="), "numerics.compile"),
        (('"zai-org/CogVideoX-5b"', '"a/b/c/d"'), "model.id"),
        (("guidance_scale=6.5", "guidence_scale=6.5"), "call.guidence_scale"),
        (("fps=8", "fps=-1"), "output.fps"),
    ],
)
def test_what_a_scenario_refuses_is_left_open(changed: tuple[str, str], path: str) -> None:
    special = SCRIPT.replace(*changed)
    assert special != SCRIPT
    for script, space in ((special, SCRIPT), (SCRIPT, special), (special, special)):
        text, _ = written(script, space)
        assert any(path in line for line in opened(text)), text


@pytest.mark.parametrize("text", ["x" * 30_000, "hf_" + "abcdEFGH12345678" * 2])
def test_a_prompt_that_no_scenario_holds_is_to_be_written(text: str) -> None:
    _, scenario = written(SCRIPT.replace("a lemon", text), SCRIPT)
    assert scenario.prompts["main"].text == "write the prompt here"


def test_another_pipeline_is_not_given_what_it_does_not_take() -> None:
    video = SCRIPT.replace("CogVideoXPipeline", "CogVideoXVideoToVideoPipeline")
    video = video.replace("guidance_scale", "video=load_video('in.mp4'), strength=0.8, guidance_scale")
    text, scenario = written(video, SCRIPT.replace("guidance_scale", "num_frames=81, guidance_scale"))
    hosted = scenario.settings_of("as-hosted")
    assert hosted.value("model.pipeline") == "CogVideoXVideoToVideoPipeline"
    assert "call.num_frames" not in hosted
    assert any("model.pipeline" in line and "call.strength" in line for line in opened(text))
    assert any(line.startswith("# open: call.num_frames") for line in opened(text))


def test_a_folder_is_no_id_of_a_space(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "app.py").write_text(SCRIPT)
    plan = tmp_path / "why.toml"
    arguments = ["why", "--script", str(tmp_path / "run.py"), "--space", str(tmp_path / "space"), "--plan-only"]
    assert main([*arguments, "--write", str(plan)]) == 0
    assert "fill in the Space's id" in capsys.readouterr().out
    reference = load_scenario(plan).reference.space
    assert reference
    assert reference.id == "ORG/NAME"
    assert "to be filled in" in plan.read_text()


def test_one_file_for_two_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    (tmp_path / "app.py").write_text(SCRIPT.replace("6.5", "7.0"))
    both = str(tmp_path / "out")
    arguments = ["why", "--script", str(tmp_path / "run.py"), "--space", str(tmp_path / "app.py"), "--plan-only"]
    assert main([*arguments, "--write", both, "--patch", both]) == 2
    assert "both scenario and patch" in capsys.readouterr().err
    assert not Path(both).exists()


IMAGES = """
import gradio as gr, torch
from diffusers import CogVideoXImageToVideoPipeline
pipe = CogVideoXImageToVideoPipeline.from_pretrained("zai-org/CogVideoX-5b-I2V")
def go(prompt, image, clip, seed):
    path = pipe(prompt=prompt, image=image, generator=torch.Generator("cpu").manual_seed(int(seed))).frames[0]
    return path, seed
with gr.Blocks() as demo:
    a, b, c, s = gr.Textbox(), gr.Image(type="filepath"), gr.Video(), gr.Number(value=1)
    out, used, go_ = gr.Video(), gr.Number(), gr.Button()
    go_.click(go, [a, b, c, s], [out, used], api_name="go")
"""


def test_a_file_that_the_space_asks_for_is_left_open() -> None:
    text, scenario = written(SCRIPT, IMAGES)
    asked = scenario.reference.space
    assert asked
    assert asked.inputs == {"prompt": "{prompt}", "seed": "{seed}"}
    (image,) = [line for line in opened(text) if "image takes a file" in line]
    (clip,) = [line for line in opened(text) if "clip takes a file" in line]
    assert '"Use via API"' in clip
    filled_in = image.partition(": add ")[2].partition(" to the inputs")[0].replace("FILE", "https://a.b/c.png")
    given = text.replace('inputs = {prompt = "{prompt}"', f'inputs = {{{filled_in}, prompt = "{{prompt}}"')
    filled = parse_scenario(given, Path("why.toml")).reference.space
    assert filled
    from gradio_client.utils import is_file_obj_with_meta

    assert is_file_obj_with_meta(filled.inputs["image"])


def test_the_seed_that_a_function_returns_is_found_without_a_label() -> None:
    _, scenario = written(SCRIPT, IMAGES)
    assert scenario.reference.space
    assert scenario.reference.space.outputs.seed == 1


@pytest.mark.parametrize("seed", ["-1", "2**63"])
def test_a_seed_that_no_scenario_holds_is_to_be_chosen(seed: str) -> None:
    text, scenario = written(SCRIPT.replace("manual_seed(1)", f"manual_seed({seed})"), SCRIPT)
    assert scenario.prompts["main"].seed == 42
    assert "seed = 42 # to be chosen" in text
    assert "to be chosen" not in written(SCRIPT, SCRIPT)[0]


def test_a_budget_is_a_whole_number(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["why", "--script", "run.py", "--space", "org/name", "--budget", "0"])
    assert "is not a whole number of at least 1" in capsys.readouterr().err
