from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from spacediff.errors import ScenarioError
from spacediff.scenario.scenario import load_scenario, parse_scenario
from spacediff.settings import Origin
from support.scenarios import DESIGN, HERE, MINIMAL, values


def test_the_design_example_loads(tmp_path: Path) -> None:
    file = tmp_path / "design.toml"
    file.write_text(DESIGN, "utf-8")
    scenario = load_scenario(file)
    assert (scenario.text, scenario.path) == (DESIGN, file)
    assert scenario.prompts["lemon"].seed == 42
    assert scenario.variant_names() == ("dynamic-cfg", "dpm", "on-gpu", "as-hosted")
    assert scenario.reference.space is not None
    assert scenario.reference.space.outputs.seed == 3
    assert scenario.reference.space.inputs["scale_status"] is False
    assert (scenario.reference.space.deadline, scenario.reference.space.repeats) == (1800, 1)
    assert (scenario.scale.seeds, scenario.scale.rerun) == (3, True)
    assert scenario.explain is not None
    assert (scenario.explain.from_, scenario.explain.to) == ("baseline", "as-hosted")
    assert scenario.gate is not None
    assert scenario.gate.max_drift == 0.05


def test_settings_of_a_variant_are_the_baselines_with_its_changes() -> None:
    scenario = parse_scenario(DESIGN, HERE)
    assert values(scenario, "as-hosted") == {
        "model.id": "zai-org/CogVideoX-5b",
        "model.dtype": "bfloat16",
        "call.num_inference_steps": 50,
        "call.num_frames": 49,
        "call.guidance_scale": 7.0,
        "call.use_dynamic_cfg": True,
        "scheduler.class": "CogVideoXDPMScheduler",
        "scheduler.timestep_spacing": "trailing",
        "placement": "cuda",
        "rng.device": "cpu",
    }
    assert values(scenario, "baseline")["call.guidance_scale"] == 6.0
    assert set(scenario.changes_of("dpm")) == {"scheduler.class", "scheduler.timestep_spacing"}
    assert len(scenario.changes_of("baseline")) == 0


def test_each_setting_has_the_line_that_declares_it() -> None:
    declared = parse_scenario(DESIGN, HERE).settings_of("as-hosted")
    assert {setting.origin for setting in declared.values()} == {Origin.DECLARED}
    assert declared["call.num_frames"].where == "quickstart.toml:9"
    assert declared["call.guidance_scale"].where == "quickstart.toml:27"
    assert declared["scheduler.class"].where == "quickstart.toml:22"


def test_settings_of_an_unknown_name_is_a_key_error() -> None:
    scenario = parse_scenario(DESIGN, HERE)
    with pytest.raises(KeyError):
        scenario.settings_of("as-hostd")
    with pytest.raises(KeyError):
        scenario.changes_of("as-hostd")


def test_chains_apply_in_order_and_a_shared_ancestor_applies_once() -> None:
    scenario = parse_scenario(
        MINIMAL
        + """
baseline.call = { a = 0, b = 0, c = 0, kept = 0 }
[variants.top]
call = { a = 1, b = 1, c = 1 }
[variants.left]
from = "top"
call.b = 2
[variants.right]
from = ["top"]
call.c = 3
[variants.both]
from = ["left", "right"]
[variants.turned]
from = ["right", "left"]
call.a = 9
""",
        HERE,
    )
    both, turned = values(scenario, "both"), values(scenario, "turned")
    assert [both[f"call.{key}"] for key in "abc"] == [1, 2, 3]  # `top` came in by `right` too, and left b alone
    assert [turned[f"call.{key}"] for key in "abc"] == [9, 2, 3]
    assert both["call.kept"] == 0
    assert "call.kept" not in scenario.changes_of("both")


def test_later_names_in_from_win() -> None:
    text = MINIMAL + 'variants.x.call.a = 1\nvariants.y.call.a = 2\nvariants.xy.from = ["x", "y"]\n'
    swapped = text.replace('["x", "y"]', '["y", "x"]')
    assert values(parse_scenario(text, HERE), "xy")["call.a"] == 2
    assert values(parse_scenario(swapped, HERE), "xy")["call.a"] == 1


def test_a_long_chain_causes_no_deep_recursion() -> None:
    chain = "".join(f'[variants.v{n}]\nfrom = "v{n + 1}"\n' for n in range(1500))
    scenario = parse_scenario(f"{MINIMAL}{chain}[variants.v1500]\ncall.end = 1\n", HERE)
    assert dict(scenario.changes_of("v0")).keys() == {"call.end"}


def test_an_empty_table_changes_nothing() -> None:
    scenario = parse_scenario(MINIMAL + "baseline.call.a = 1\n[variants.x.call]\n[variants.x.scheduler]\n", HERE)
    assert scenario.settings_of("x") == scenario.settings_of("baseline")


def test_an_empty_table_inside_an_argument_is_its_value() -> None:
    scenario = parse_scenario(MINIMAL + "baseline.call.attention_kwargs = {}\n", HERE)
    assert values(scenario, "baseline")["call.attention_kwargs"] == {}


def test_relative_paths_start_from_the_scenarios_folder(tmp_path: Path) -> None:
    text = MINIMAL.replace('"builtin:tiny-cogvideox"', '"./checkpoint"').replace(
        'reference.variant = "baseline"', 'reference.video.file = "clips/hosted.mp4"'
    )
    scenario = parse_scenario(text, tmp_path / "s.toml")
    assert values(scenario, "baseline")["model.id"] == str(tmp_path / "checkpoint")
    assert scenario.reference.video is not None
    assert scenario.reference.video.file == tmp_path / "clips" / "hosted.mp4"
    assert scenario.text == text


def test_a_hub_id_is_not_a_path(tmp_path: Path) -> None:
    text = MINIMAL.replace("builtin:tiny-cogvideox", "org/name")
    assert values(parse_scenario(text, tmp_path / "s.toml"), "baseline")["model.id"] == "org/name"


def test_a_video_for_each_prompt(tmp_path: Path) -> None:
    text = MINIMAL.replace('reference.variant = "baseline"', 'reference.video.files = { lemon = "/clips/a.mp4" }')
    scenario = parse_scenario(text, tmp_path / "s.toml")
    assert scenario.reference.video is not None
    assert scenario.reference.video.files == {"lemon": Path("/clips/a.mp4")}


def test_a_scenario_is_immutable_and_can_be_pickled() -> None:
    scenario = parse_scenario(DESIGN, HERE)
    with pytest.raises(ValidationError):
        scenario.title = "other"  # type: ignore[misc]
    copy = pickle.loads(pickle.dumps(scenario))  # noqa: S301 - our own bytes
    assert copy == scenario
    assert copy.settings_of("as-hosted")["rng.device"].where == "quickstart.toml:28"


def test_every_declared_table_is_used() -> None:
    scenario = parse_scenario(
        MINIMAL
        + """
question = "Why?"
[baseline]
load.low_cpu_mem_usage = true
rng = { seed = 9223372036854775807, device = "global", dtype = "float32" }
vae = { tiling = true, slicing = false }
numerics = { attention = "math", tf32 = false, deterministic = true, threads = 2 }
output = { fps = 8, quality = 5, rounding = "truncate" }
model = { revision = "refs/pr/1", pipeline = "CogVideoXPipeline", variant = "fp16" }
""".replace("[baseline]", "[variants.x]"),
        HERE,
    )
    found = values(scenario, "x")
    assert found["rng.seed"] == 2**63 - 1
    assert found["output.fps"] == 8.0
    assert found["vae.slicing"] is False
    assert found["model.revision"] == "refs/pr/1"
    assert len(scenario.changes_of("x")) == 16


def test_windows_files_load(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_bytes(b"\xef\xbb\xbf" + DESIGN.replace("\n", "\r\n").encode())
    scenario = load_scenario(file)
    assert scenario.settings_of("as-hosted")["call.guidance_scale"].where == "s.toml:27"


def test_a_variant_takes_back_a_component_or_its_quantisation() -> None:
    said = (
        MINIMAL
        + """
[baseline.components]
unet = { id = "org/unet", dtype = "default", quantization = { backend = "quanto", weights_dtype = "int8" } }
[variants]
plain.components.unet.quantization = "none"
own.components.unet = "own"
"""
    )
    scenario = parse_scenario(said, HERE)
    loaded = {"components.unet.id": "org/unet", "components.unet.dtype": "default"}
    of = {
        name: {path: each for path, each in values(scenario, name).items() if path.startswith("components.")}
        for name in ("plain", "own")
    }
    assert of == {"plain": {**loaded, "components.unet.quantization": "none"}, "own": {"components.unet": "own"}}


def test_components_are_tables_or_none() -> None:
    said = (
        MINIMAL
        + """
baseline.components = { vae = { id = "./v", class = "AutoencoderKL" }, safety_checker = "none" }
baseline.vae.dtype = "float32"
variants.x.components.vae = "none"
"""
    )
    scenario = parse_scenario(said, HERE)
    found = {path: value for path, value in values(scenario, "baseline").items() if not path.startswith("model.")}
    assert found == {
        "components.vae.id": (HERE.parent.absolute() / "v").as_posix(),
        "components.vae.class": "AutoencoderKL",
        "components.safety_checker": "none",
        "vae.dtype": "float32",
    }
    assert values(scenario, "x")["components.vae"] == "none"
    assert "components.vae.id" not in values(scenario, "x")


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ("seed = 1", {"video": 0, "seed": 1}),
        ("image = 0", {"image": 0}),
        ("gallery = 1, index = 2", {"gallery": 1, "index": 2}),
    ],
)
def test_an_image_space_says_where_its_pictures_are(outputs: str, said: dict[str, int]) -> None:
    space = f'[reference.space]\nid = "org/space"\nendpoint = "/draw"\noutputs = {{ {outputs} }}'
    reference = parse_scenario(MINIMAL.replace('reference.variant = "baseline"\n', space), Path("a.toml")).reference
    assert reference.space
    assert reference.space.outputs.model_dump(exclude_none=True) == said


@pytest.mark.parametrize(
    ("outputs", "mistake"),
    [
        ("image = 0, video = 1", "one of video, image, gallery and file"),
        ("image = 0, index = 1", "gallery = N or file = N next to it"),
    ],
)
def test_outputs_that_do_not_go_together_are_mistakes(outputs: str, mistake: str) -> None:
    space = f'[reference.space]\nid = "org/space"\nendpoint = "/draw"\noutputs = {{ {outputs} }}'
    with pytest.raises(ScenarioError, match=re.escape(mistake)):
        parse_scenario(MINIMAL.replace('reference.variant = "baseline"\n', space), Path("a.toml"))


def test_pictures_are_a_reference_alone_or_as_a_list(tmp_path: Path) -> None:
    for given, expected in (('"a.png"', Path("a.png")), ('["a.png", "b.png"]', (Path("a.png"), Path("b.png")))):
        text = MINIMAL.replace('reference.variant = "baseline"', f"reference.pictures.file = {given}")
        pictures = parse_scenario(text, tmp_path / "a.toml").reference.pictures
        found = pictures and pictures.file
        absolute = tmp_path / expected if isinstance(expected, Path) else tuple(tmp_path / each for each in expected)
        assert found == absolute
    with pytest.raises(ScenarioError, match="a file for each prompt"):
        parse_scenario(MINIMAL.replace('reference.variant = "baseline"', "reference.pictures.files = {}"), HERE)


def test_paths_of_what_is_loaded_begin_at_the_scenario() -> None:
    said = (
        MINIMAL
        + """
baseline.load = { config = "./c", custom_revision = "./r" }
baseline.components.transformer = { file = "./q.gguf" }
variants.x.components.transformer = { id = "org/name", file = "a/q.gguf", quantization = { backend = "quanto" } }
"""
    )
    scenario = parse_scenario(said, HERE)
    folder = HERE.parent.absolute()
    assert values(scenario, "baseline")["load.config"] == (folder / "c").as_posix()
    assert values(scenario, "baseline")["load.custom_revision"] == "./r"
    assert values(scenario, "baseline")["components.transformer.file"] == (folder / "q.gguf").as_posix()
    assert values(scenario, "x")["components.transformer.file"] == "a/q.gguf"
    assert values(scenario, "x")["components.transformer.quantization.backend"] == "quanto"
