"""A written scenario loads, and what it cannot say is left open in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacediff.cli.commands import main
from spacediff.reading import read_text
from spacediff.scenario.scenario import Scenario, load_scenario, parse_scenario
from spacediff.why import approximations
from spacediff.why.differences import compare_sources
from spacediff.why.scenario_writer import corrected_text, scenario_text, script_text

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
    for asked in ("org/space", ""):  # the Space, or a variant in its place
        parse_scenario(corrected_text(found, left, right, asked, every), Path("corrected.toml"))
        parse_scenario(corrected_text(found, left, right, asked, set()), Path("corrected.toml"))
    parse_scenario(scenario_text(found, left, right, ""), Path("why.toml"))
    text = scenario_text(found, left, right, "org/space")
    return text, parse_scenario(text, Path("why.toml"))


def opened(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("# open: ")]


def left_out(scenario: Scenario) -> dict[str, tuple[str, str]]:
    """Return what a scenario leaves out of its script: setting to value and place."""
    return {each.setting: (each.value, each.where) for each in scenario.approximations}


def test_a_lora_of_one_side_is_added_or_removed_by_the_variant() -> None:
    with_lora = SCRIPT.replace("\nvideo =", LORA)
    text, scenario = written(SCRIPT, with_lora)
    table = {"x": {"id": "me/lora", "weight_name": "a.safetensors", "scale": 0.7}}
    assert scenario.settings_of("as-hosted").table("lora") == table
    assert not opened(text)
    text, scenario = written(with_lora, SCRIPT)
    assert scenario.settings_of("baseline").table("lora") == table
    assert scenario.settings_of("as-hosted").table("lora") == {"x": "none"}
    assert not opened(text)


@pytest.mark.parametrize(
    ("argument", "path"),
    [('custom_pipeline="evil/repo"', "load.custom_pipeline"), ("trust_remote_code=True", "load.trust_remote_code")],
)
def test_code_of_others_is_never_written_into_a_scenario(argument: str, path: str) -> None:
    theirs = SCRIPT.replace("torch_dtype", f"{argument}, torch_dtype")
    text, scenario = written(SCRIPT, theirs)
    assert path not in scenario.settings_of("as-hosted")
    (line,) = opened(text)
    assert path in line
    assert "it runs code of others" in line
    _, scenario = written(theirs, SCRIPT)
    assert path not in scenario.settings_of("baseline")
    assert path in left_out(scenario), "an audit stops at it"


def test_a_scale_and_a_fusion_that_differ_are_changed_alone() -> None:
    ours, theirs = (SCRIPT.replace("\nvideo =", LORA.replace("0.7", scale)) for scale in ("0.8", "0.5"))
    text, scenario = written(ours.replace("video =", "pipe.fuse_lora()\nvideo ="), theirs.replace('"x"', '"y"'))
    assert {**scenario.changes_of("as-hosted")}.keys() == {"lora.x.scale", "lora.x.fused"}
    assert scenario.settings_of("as-hosted").table("lora")["x"]["scale"] == 0.5
    assert scenario.settings_of("as-hosted").value("lora.x.fused") is False
    assert "lora.x.scale = 0.5" in text
    assert scenario.approximations == ()


def test_an_adapter_whose_weights_are_pickled_is_left_out_as_a_whole() -> None:
    lines = "pipe.load_ip_adapter('org/ip', subfolder='models', weight_name='ip.bin')\npipe.set_ip_adapter_scale(0.3)"
    _, scenario = written(with_line(lines), SCRIPT)
    assert not scenario.settings_of("baseline").table("ip_adapter")
    assert left_out(scenario).keys() == {f"ip_adapter.{key}" for key in ("id", "scale", "subfolder", "weight_name")}


def test_what_only_the_script_gives_is_left_open() -> None:
    text, scenario = written(SCRIPT.replace("guidance_scale", 'negative_prompt="worst", guidance_scale'), SCRIPT)
    assert scenario.settings_of("as-hosted").value("call.negative_prompt") == "worst"
    (line,) = opened(text)
    assert "call.negative_prompt" in line
    assert "a variant cannot take it back" in line


def test_how_the_numbers_are_computed_is_written_and_read_again() -> None:
    lines = """
pipe.transformer.set_attention_backend("_native_math")
pipe.transformer = torch.compile(pipe.transformer, mode="max-autotune")
pipe.vae.enable_tiling(tile_sample_min_height=240)
pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.2))
video ="""
    special = SCRIPT.replace("from diffusers import", "from diffusers import FirstBlockCacheConfig,")
    special = special.replace("\nvideo =", lines)
    text, scenario = written(special, SCRIPT)
    found = scenario.settings_of("baseline")
    assert found.value("numerics.attention") == "_native_math"
    assert found.value("numerics.compile.mode") == "max-autotune"
    assert found.value("vae.tile_sample_min_height") == 240
    assert found.table("cache") == {"class": "FirstBlockCacheConfig", "threshold": 0.2}
    assert not scenario.approximations, text


def test_what_both_set_without_a_place_in_a_scenario_is_an_approximation() -> None:
    both = with_line("pipe.enable_freeu(s1=0.9)")
    text, scenario = written(both, both)
    assert left_out(scenario)["numerics.freeu"][0] == "{'s1': 0.9}"
    assert not any("freeu" in line for line in opened(text))


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        (
            ("\nvideo =", "\npipe.transformer = torch.compile(pipe.transformer, mode='x')\nvideo ="),
            "numerics.compile.mode",
        ),
        (('"zai-org/CogVideoX-5b"', '"a/b/c/d"'), "model.id"),
        (("guidance_scale=6.5", "guidence_scale=6.5"), "call.guidence_scale"),
        (("fps=8", "fps=-1"), "output.fps"),
    ],
)
def test_what_a_scenario_refuses_is_left_open(changed: tuple[str, str], path: str) -> None:
    special = SCRIPT.replace(*changed)
    assert special != SCRIPT
    for script, space in ((special, SCRIPT), (SCRIPT, special), (special, special)):
        text, scenario = written(script, space)
        assert (path in left_out(scenario)) is (script is special)
        if script is SCRIPT:
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


def test_a_variant_stands_for_a_space_of_which_only_the_source_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    (tmp_path / "space").mkdir()
    hosted = SCRIPT.replace("guidance_scale=6.5", "guidance_scale=float(input()), num_inference_steps=33")
    (tmp_path / "space" / "app.py").write_text(hosted)
    plan = tmp_path / "why.toml"
    arguments = ["why", "--script", str(tmp_path / "run.py"), "--space", str(tmp_path / "space"), "--plan-only"]
    assert main([*arguments, "--write", str(plan)]) == 0
    scenario = load_scenario(plan)
    assert scenario.reference.variant == "as-hosted"
    assert scenario.settings_of("as-hosted").value("call.num_inference_steps") == 33
    assert scenario.explain
    assert scenario.gate is None
    (unread,) = scenario.approximations
    assert (unread.of, unread.setting) == ("space", "call.guidance_scale")
    assert "approximate: The Space's guidance scale is unknown" in capsys.readouterr().out


def test_the_built_in_space_is_asked_under_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    plan = tmp_path / "why.toml"
    arguments = ["why", "--script", str(tmp_path / "run.py"), "--space", "builtin:tiny-space", "--plan-only", "--json"]
    assert main([*arguments, "--write", str(plan)]) == 0
    reference = load_scenario(plan).reference.space
    assert reference
    assert (reference.id, reference.endpoint) == ("builtin:tiny-space", "/generate")
    found = json.loads(capsys.readouterr().out)
    (model,) = [row for row in found["differences"] if row["path"] == "model.id"]
    assert model["space"]["value"] == "builtin:tiny-cogvideox"


CALLED = 'generator=torch.Generator("cpu").manual_seed(1)'


@pytest.mark.parametrize(
    ("seeds", "comment"),
    [
        ("(42, 43, 44)", "seed = 42 # the first of the script's 3 seeds 42, 43, 44 (run.py:6)"),
        ("range(3)", "seed = 0 # the first of the script's 3 seeds 0, 1, 2 (run.py:6)"),
    ],
)
def test_of_the_seeds_of_a_loop_the_first_is_taken_and_the_others_named(seeds: str, comment: str) -> None:
    looped = SCRIPT.replace("video = pipe", f"for seed in {seeds}:\n    video = pipe").replace(
        "manual_seed(1)", "manual_seed(seed)"
    )
    text, scenario = written(looped.replace("export_to", "    export_to"), SCRIPT)
    assert comment in text
    assert scenario.approximations == ()


def test_a_seed_for_each_picture_of_a_call_is_an_approximation() -> None:
    batch = SCRIPT.replace(CALLED, f"num_videos_per_prompt=2, {CALLED.replace('=', '=[')}, torch.Generator()]")
    text, scenario = written(batch.replace("torch.Generator()]", "torch.Generator().manual_seed(2)]"), SCRIPT)
    assert "to be chosen" in text
    assert left_out(scenario) == {"rng.seed": ("[1, 2]", "run.py:6")}
    assert scenario.settings_of("baseline").value("call.num_videos_per_prompt") == 2


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
    assert [line for line in opened(text) if "clip takes a file" in line]
    filled_in = image.partition(": add ")[2].partition(" to the inputs")[0]
    given = text.replace('inputs = {prompt = "{prompt}"', f'inputs = {{{filled_in}, prompt = "{{prompt}}"')
    given = given.replace("[prompts.main]\n", '[prompts.main]\ninputs = {image = "a.png"}\n')
    filled = parse_scenario(given, Path("why.toml")).reference.space
    assert filled
    assert filled.inputs["image"] == "{file:image}"


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


def test_a_budget_is_a_number_of_generations(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["why", "--script", "run.py", "--space", "org/name", "--budget", "0"])
    assert "is not a number of generations above 0" in capsys.readouterr().err


VAE = """
from diffusers import AutoencoderKLCogVideoX
vae = AutoencoderKLCogVideoX.from_pretrained("zai-org/CogVideoX-5b", subfolder="vae"{dtype})
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", vae=vae, torch_dtype=torch.bfloat16)
"""
LOADED = 'pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.bfloat16)\n'


def with_vae(dtype: str, after: str = "") -> str:
    return SCRIPT.replace(LOADED, VAE.format(dtype=dtype) + after)


def with_line(line: str) -> str:
    return SCRIPT.replace("\nvideo =", f"\n{line}\nvideo =")


def at_loading(argument: str, before: str = "") -> str:
    return SCRIPT.replace(LOADED, f"{before}{LOADED.replace(', torch_dtype', f', {argument}, torch_dtype')}")


QUANTISED = at_loading(
    "quantization_config=PipelineQuantizationConfig(quant_backend='bitsandbytes_4bit')",
    "from diffusers import PipelineQuantizationConfig\n",
)
GROUPS = "pipe.enable_group_offload(torch.device('cuda'), offload_type='block_level', num_blocks_per_group=2)"


@pytest.mark.parametrize(
    ("script", "setting", "value"),
    [
        (with_line("pipe.vae.to(torch.float32)"), "load.vae", "float32"),
        (with_vae(", torch_dtype=torch.bfloat16", "vae.to(torch.float32)\n"), "load.vae", "from = 'bfloat16'"),
        (with_vae(", torch_dtype=torch.float16", "pipe.to(torch.bfloat16)\n"), "load.vae", "'float16'"),
        (with_line("pipe.to(torch.float32)"), "model.converted_from", "bfloat16"),
        (QUANTISED, "load.quantization_config", "bitsandbytes_4bit"),
        (with_line("pipe.transformer = torch.compile(pipe.transformer, mode='x')"), "numerics.compile.mode", "'x'"),
        (
            with_line("pipe.transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn)"),
            "numerics.storage_dtype",
            "'float8_e4m3fn'",
        ),
        (with_line(GROUPS), "offload.num_blocks_per_group", "2"),
        (with_line("pipe.enable_freeu(s1=0.9)"), "numerics.freeu", "{'s1': 0.9}"),
        (with_line("pipe.enable_free_noise()"), "pipeline", "pipe.enable_free_noise()"),
        (SCRIPT + "frames = upscale(video)\n", "upscaling", "upscale(video)"),
        (SCRIPT.replace("guidance_scale=6.5", "height=size()"), "call.height", "unknown: size()"),
    ],
)
def test_what_the_script_does_and_a_scenario_cannot_say_is_an_approximation(
    script: str, setting: str, value: str
) -> None:
    _, scenario = written(script, SCRIPT)
    found, where = left_out(scenario)[setting]
    assert value in found
    assert "{'dtype'" not in found
    assert where.startswith("run.py:")
    assert not scenario.settings_of("baseline").table("load")
    _, other = written(SCRIPT, script)
    assert other.approximations == (), "what the Space does shows in its clip"


@pytest.mark.parametrize(
    "script",
    [
        SCRIPT,
        with_vae(", torch_dtype=torch.bfloat16"),
        with_vae("", "pipe.to(torch.bfloat16)\n"),
        at_loading("device_map='cuda'"),
        with_line("pipe.enable_group_offload(torch.device('cuda'), offload_type='leaf_level')"),
        SCRIPT.replace("guidance_scale", "negative_prompt=None, guidance_scale"),
        SCRIPT.replace("export_to_video(", "mylib.save("),
    ],
)
def test_a_scenario_that_says_all_that_was_read_is_no_approximation(script: str) -> None:
    _, scenario = written(script, SCRIPT)
    assert scenario.approximations == ()


OWN_CALL = """
from diffusers import FluxPipeline


class LeafPipeline(FluxPipeline):
    def __call__(self, prompt, height=None):
        pass


pipe = LeafPipeline.from_pretrained("a/b")
"""


@pytest.mark.parametrize(
    ("source", "is_default"),
    [
        ('from diffusers import FluxPipeline\npipe = FluxPipeline.from_pretrained("a/b")\n', True),
        ('from kites import FluxPipeline\npipe = FluxPipeline.from_pretrained("a/b")\n', False),
        (OWN_CALL, True),
        (OWN_CALL.replace("height=None", "height=512"), False),
    ],
)
def test_none_is_the_default_only_where_the_class_that_is_called_says_so(source: str, *, is_default: bool) -> None:
    script = read_text(f'{source}pipe("a leaf", height=None)\n', "run.py")
    assert approximations.is_default("call.height", script.settings["call.height"], script) is is_default
    assert "call.height" not in {one.setting for one in approximations.left_out(script, script.settings, {})}


def test_what_only_an_option_would_do_is_no_approximation() -> None:
    option = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--up', action='store_true')\n"
    script = f"{option}{SCRIPT}if p.parse_args().up:\n    upscale(video)\n"
    assert left_out(written(script, SCRIPT)[1]) == {}
    assert "upscaling" in left_out(written(script.replace("store_true", "store_false"), SCRIPT)[1])


def test_a_correction_removes_its_own_approximation_only() -> None:
    script = with_line("pipe.enable_freeu(s1=0.9)\npipe.vae.enable_tiling(tile_sample_min_height=240)")
    space = with_line("pipe.enable_freeu(s1=0.9)")
    left, right = read_text(script, "run.py"), read_text(space, "app.py")
    found = compare_sources(left, right)
    corrected = parse_scenario(corrected_text(found, left, right, "org/space", ["vae.tiling"]), Path("why.toml"))
    assert left_out(corrected).keys() >= {"numerics.freeu"}


@pytest.mark.parametrize("text", ["hf_" + "abcdEFGH12345678" * 2, "x" * 30_000, "\\ud800\\n\\x00"])
def test_any_text_of_a_script_can_stand_among_the_approximations(text: str) -> None:
    _, scenario = written(with_line(f"pipe.load_lora_weights('{text}')"), SCRIPT)
    value, _ = left_out(scenario)["lora.default_0.id"]
    assert "abcdEFGH" not in value
    assert len(value) <= 301


def test_a_written_approximation_is_said_and_stops_the_audit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.py").write_text(with_line("pipe.vae.to(torch.float32)"))
    Path("app.py").write_text(SCRIPT)
    assert main(["why", "--script", "run.py", "--space", "app.py", "--plan-only", "--write", "why.toml"]) == 0
    line = Path("run.py").read_text().split("\n").index("pipe.vae.to(torch.float32)") + 1
    said = f"The script's VAE is float32 (run.py:{line}), which the scenario does not say"
    assert f"approximate: {said}" in capsys.readouterr().out
    assert main(["audit", "why.toml"]) == 2
    printed = capsys.readouterr().err
    assert "error[scenario-approximate]: why.toml is not the script: it leaves out 1 thing" in printed
    assert said in printed
    assert "--approximate" in printed
    assert not Path("audits").exists()


def test_a_script_that_moves_its_pipeline_nowhere_computes_on_the_cpu() -> None:
    _, scenario = written(SCRIPT, SCRIPT)
    assert scenario.settings_of("baseline").value("placement") == "cpu"
    moved = SCRIPT.replace("\nvideo =", "\npipe.enable_model_cpu_offload()\nvideo =")
    assert written(moved, SCRIPT)[1].settings_of("baseline").value("placement") == "model_cpu_offload"


def test_an_audit_stops_at_a_call_that_was_not_decided() -> None:
    either = SCRIPT.replace("video = pipe(", "if busy():\n    video = pipe(num_inference_steps=8, ").replace(
        "export_to_video(video", "else:\n    video = pipe(prompt='a lemon')\nexport_to_video(video"
    )
    _, scenario = written(either, SCRIPT)
    assert "the call that was read" in left_out(scenario)


TRANSFORMER = """transformer = CogVideoXTransformer3DModel.from_pretrained(
    "me/finetuned", subfolder="transformer", torch_dtype=torch.bfloat16
)
"""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (with_vae(", torch_dtype=torch.float32"), {"vae.dtype": "float32"}),
        (with_vae(""), {"vae.dtype": "float32"}),
        (
            at_loading("transformer=transformer", f"from diffusers import CogVideoXTransformer3DModel\n{TRANSFORMER}"),
            {
                "components.transformer.id": "me/finetuned",
                "components.transformer.subfolder": "transformer",
                "components.transformer.class": "CogVideoXTransformer3DModel",
            },
        ),
        (at_loading("device_map='balanced'"), {"load.device_map": "balanced"}),
        (at_loading("safety_checker=None"), {"load.safety_checker": None}),
    ],
)
def test_what_is_loaded_apart_is_said_on_either_side(script: str, said: dict[str, Any]) -> None:
    text, scenario = written(script, SCRIPT)
    baseline = {path: one.value for path, one in scenario.settings_of("baseline").items()}
    assert {path: baseline.get(path) for path in said} == said
    assert scenario.approximations == ()
    _, other = written(SCRIPT, script)
    hosted = {path: one.value for path, one in other.settings_of("as-hosted").items()}
    assert {path: hosted.get(path) for path in said} == said
    if "vae.dtype" in said:
        assert scenario.settings_of("as-hosted").value("vae.dtype") == "bfloat16", "as the Space loads it"
        assert "# open" not in text


def test_the_cause_is_corrected_under_the_path_of_the_scenario() -> None:
    left, right = read_text(SCRIPT, "run.py"), read_text(with_vae(", torch_dtype=torch.float32"), "app.py")
    found = compare_sources(left, right)
    text = corrected_text(found, left, right, "org/space", ["vae.dtype"])
    assert parse_scenario(text, Path("why.toml")).settings_of("baseline").value("vae.dtype") == "float32"


def test_a_fix_that_is_taken_back_from_the_corrected_scenario_is_held_against_the_space() -> None:
    left, right = read_text(SCRIPT, "run.py"), read_text(SCRIPT.replace("6.5", "7.0"), "app.py")
    found = compare_sources(left, right)
    (cause,) = (row.path for row in found.differences)
    corrected = parse_scenario(corrected_text(found, left, right, "", [cause]), Path("why.toml"))
    assert corrected.settings_of("baseline").value(cause) == 7.0
    assert corrected.changes_of("as-hosted").value(cause) == 7.0, "it does not follow the baseline"


@pytest.mark.parametrize(
    ("component", "result", "outputs"),
    [("Image", "image", {"image": 0, "seed": 1}), ("Gallery", "[image]", {"gallery": 0, "seed": 1})],
)
def test_an_image_space_is_asked_for_its_picture(component: str, result: str, outputs: dict[str, int]) -> None:
    pipeline = 'StableDiffusionPipeline.from_pretrained("me/sd", torch_dtype=torch.float32)'
    script = f"""
import torch
from diffusers import StableDiffusionPipeline
pipe = {pipeline}
pipe(prompt="a lemon", guidance_scale=3.0, generator=torch.Generator("cpu").manual_seed(1)).images[0].save("a.png")
"""
    space = f"""
import gradio as gr, torch
from diffusers import StableDiffusionPipeline
pipe = {pipeline}
def infer(prompt, seed):
    image = pipe(prompt=prompt, guidance_scale=7.5, generator=torch.Generator("cpu").manual_seed(int(seed))).images[0]
    return {result}, seed
with gr.Blocks() as demo:
    prompt, seed, shown = gr.Textbox(), gr.Number(), gr.{component}()
    gr.Button().click(infer, [prompt, seed], [shown, seed], api_name="infer")
demo.launch()
"""
    _, scenario = written(script, space)
    assert scenario.reference.space
    assert scenario.reference.space.outputs.model_dump(exclude_none=True) == outputs


def test_the_script_itself_can_be_the_baseline() -> None:
    space = SCRIPT.replace("6.5", "7.5").replace("bfloat16", "float16").replace("CogVideoX-5b", "CogVideoX-2b")
    left, right = read_text(SCRIPT, "run.py"), read_text(space, "app.py")
    baseline = {"script": "scripts/run.py", "args": ["--steps", "2"]}
    text = script_text(compare_sources(left, right), left, right, "org/space", baseline=baseline)
    scenario = parse_scenario(text, Path("why.toml"))
    assert scenario.baseline.script == Path("scripts/run.py").absolute()
    assert scenario.baseline.args == ("--steps", "2")
    assert (scenario.prompts["main"].text, scenario.prompts["main"].seed) == ("a lemon", 1)
    changes = {path: each.value for path, each in scenario.changes_of("as-hosted").items()}
    assert changes == {"call.guidance_scale": 7.5, "model.dtype": "float16"}
    (left_open,) = [line for line in opened(text) if "model.id" in line]
    assert "what can be put into a script" in left_open
