"""The plan, which generates nothing: a script and a Space are read and compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spacediff.cli.commands import main
from spacediff.reading import Reading, read_source, read_text
from spacediff.reading.machine_look_up import MachineLookUp
from spacediff.reading.machines import Machine
from spacediff.reading.signatures import call_defaults
from spacediff.scenario.scenario import parse_scenario
from spacediff.settings import Origin
from spacediff.why.defaults import completed
from spacediff.why.differences import compare_sources
from spacediff.why.headline import headline
from spacediff.why.scenario_writer import scenario_text
from support.hub_stand_in import Model, hub_stand_in
from support.paths import ROOT

SOURCES = ROOT / "tests" / "data" / "sources"
SCRIPT = """
import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.bfloat16)
pipe.enable_model_cpu_offload()
video = pipe(prompt="a lemon").frames[0]
export_to_video(video, "out.mp4", fps=8)
"""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in this process asks the Hub; the stand-in is asked from separate processes."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture(scope="module")
def demo() -> Reading:
    return read_source(SOURCES / "cogvideox_demo")


def test_defaults_of_the_library_are_compared_with_what_the_space_sets(demo: Reading) -> None:
    found = compare_sources(read_text(SCRIPT, "run.py"), demo)
    rows = {row.path: (row.left.value, row.right.value) for row in found.differences}
    assert rows["call.guidance_scale"] == (6, 7.0)
    assert rows["call.use_dynamic_cfg"] == (False, True)
    assert rows["scheduler.class"] == ("not set", "CogVideoXDPMScheduler")
    assert rows["scheduler.timestep_spacing"] == ("not set", "trailing")
    by_path = {row.path: row for row in found.differences}
    assert by_path["call.use_dynamic_cfg"].left.where == "CogVideoXPipeline.__call__"
    assert by_path["call.use_dynamic_cfg"].right.where.startswith("app.py:")
    assert by_path["call.use_dynamic_cfg"].known
    assert "call.num_inference_steps" not in rows, "50 is the default, and what the demo gives"
    assert found.equal >= 5
    assert any("output.fps" in question and "app.py" in question for question in found.questions)
    assert "frame interpolation" not in {effect.kind for effect in found.effects}, "the checkbox for it is off"


def test_a_source_agrees_with_itself(demo: Reading) -> None:
    found = compare_sources(demo, demo)
    assert found.differences == []
    assert any("placement" in question for question in found.questions), "an unknown value never counts as equal"


CONFIG = {"_class_name": "CogVideoXDDIMScheduler", "_diffusers_version": "0.30", "snr_shift_scale": 1.0,
          "timestep_spacing": "trailing"}  # fmt: skip
ON_THE_HUB = """
import json, sys
from spacediff.reading import read_text
from spacediff.why.differences import compare_sources
found = compare_sources(*(read_text(text, name) for text, name in zip(sys.argv[1:], ("run.py", "app.py"))), ask=True)
rows = {row.path: [row.left.value, row.right.value, row.left.origin, row.left.where] for row in found.differences}
print(json.dumps({"rows": rows, "questions": found.questions, "notes": found.notes}))
"""
"""A process of its own, because huggingface_hub reads HF_ENDPOINT when it is imported."""


def asked(script: str, space: str, folder: Path, models: dict[str, Model], **environment: str) -> dict[str, Any]:
    with hub_stand_in({}, models=models) as hub:
        home = {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home"), "HF_TOKEN": "", **environment}
        done = subprocess.run([sys.executable, "-c", ON_THE_HUB, script, space], env={**os.environ, **home},
                              capture_output=True, text=True, check=True, timeout=120)  # fmt: skip
    return dict(json.loads(done.stdout))


def model(config: dict[str, Any]) -> Model:
    return Model({"scheduler/scheduler_config.json": json.dumps(config).encode()})


DPM = """
from diffusers import CogVideoXDPMScheduler
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
"""
LOADED, CALLED = SCRIPT.split("pipe.enable")
HOSTED = f"{LOADED}{DPM}pipe.enable{CALLED}"


def test_a_scheduler_that_the_script_does_not_set_is_looked_up_in_the_checkpoint(tmp_path: Path) -> None:
    result = asked(SCRIPT, HOSTED, tmp_path, {"zai-org/CogVideoX-5b": model(CONFIG)})
    where = "zai-org/CogVideoX-5b: scheduler/scheduler_config.json"
    assert result["rows"] == {
        "scheduler.class": ["CogVideoXDDIMScheduler", "CogVideoXDPMScheduler", Origin.DEFAULT, where]
    }
    assert result["questions"] == []
    other = asked(
        SCRIPT, HOSTED, tmp_path / "2", {"zai-org/CogVideoX-5b": model({**CONFIG, "timestep_spacing": "leading"})}
    )
    assert other["rows"]["scheduler.timestep_spacing"] == ["leading", "trailing", Origin.DEFAULT, where]


def test_an_entry_that_the_file_does_not_have_is_the_default_of_the_scheduler(tmp_path: Path) -> None:
    silent = {"_class_name": "CogVideoXDDIMScheduler"}
    result = asked(SCRIPT, HOSTED, tmp_path, {"zai-org/CogVideoX-5b": model(silent)})
    assert result["rows"]["scheduler.timestep_spacing"] == [
        "leading",
        "trailing",
        Origin.DEFAULT,
        "CogVideoXDDIMScheduler",
    ]


def test_a_scheduler_that_is_not_created_from_the_checkpoint_does_not_get_its_values(tmp_path: Path) -> None:
    made = f"{LOADED}{DPM}pipe.enable{CALLED}".replace(
        '.from_config(pipe.scheduler.config, timestep_spacing="trailing")', "()"
    )
    result = asked(SCRIPT, made, tmp_path, {"zai-org/CogVideoX-5b": model(CONFIG)})
    assert result["rows"]["scheduler.timestep_spacing"][:2] == ["trailing", "leading"]
    elsewhere = made.replace("Scheduler()", 'Scheduler.from_pretrained("org/other", subfolder="scheduler")')
    models = {"zai-org/CogVideoX-5b": model(CONFIG), "org/other": model({**CONFIG, "timestep_spacing": "linspace"})}
    result = asked(SCRIPT, elsewhere, tmp_path / "2", models)
    assert result["rows"]["scheduler.timestep_spacing"][:2] == ["trailing", "linspace"]


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"_class_name": 3}', b"[" * 70_000, b" " * 70_000])
def test_a_checkpoint_without_a_readable_scheduler_leaves_a_question(content: bytes, tmp_path: Path) -> None:
    models = {"zai-org/CogVideoX-5b": Model({"scheduler/scheduler_config.json": content})}
    result = asked(SCRIPT, HOSTED, tmp_path, models)
    assert result["rows"]["scheduler.timestep_spacing"][:2] == ["not set", "trailing"]
    assert any("zai-org/CogVideoX-5b" in question for question in result["questions"])


def test_without_the_hub_a_question_is_left(tmp_path: Path) -> None:
    result = asked(SCRIPT, HOSTED, tmp_path, {}, HF_HUB_OFFLINE="1")
    assert result["rows"]["scheduler.class"][:2] == ["not set", "CogVideoXDPMScheduler"]
    (question,) = result["questions"]
    assert "HF_HUB_OFFLINE" in question
    assert "the script" in question


def test_a_value_against_one_that_could_not_be_read_is_no_certain_difference() -> None:
    usual, lines = (
        SCRIPT,
        "from diffusers import DDIMScheduler as S\npipe.scheduler = S.from_config(pipe.scheduler.config)",
    )
    hosted = usual.replace("pipe.enable", f"{lines}\npipe.enable")
    for left, right, side in ((usual, hosted, "the script"), (hosted, usual, "the Space")):
        found = compare_sources(read_text(left, "run.py"), read_text(right, "app.py"), ask=True)
        assert [(row.path, row.unread) for row in found.differences] == [("scheduler.class", side)]
        said = headline(found)
        assert said.startswith("No certain difference among")
        assert "this may differ: random seed, scheduler.class" in said
        assert f"in {side} (scheduler.class)" in said


def test_a_class_that_could_not_be_read_leaves_the_arguments_of_its_call_open() -> None:
    generic = SCRIPT.replace("CogVideoXPipeline", "DiffusionPipeline").replace("zai-org/CogVideoX-5b", "org/model")
    found = compare_sources(read_text(generic, "run.py"), read_text(SCRIPT, "app.py"), ask=True)
    of_the_call = {row.path: row.unread for row in found.differences if row.path.startswith("call.")}
    assert of_the_call["call.guidance_scale"] == "the script"
    assert {*of_the_call.values()} == {"the script"}
    assert headline(found).startswith("2 settings differ"), "model and class"


def test_local_folders_are_looked_up_for_the_script_only(tmp_path: Path) -> None:
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler" / "scheduler_config.json").write_text(json.dumps(CONFIG))
    usual, changed = (text.replace("zai-org/CogVideoX-5b", str(tmp_path)) for text in (SCRIPT, HOSTED))
    found = compare_sources(read_text(usual, "run.py"), read_text(changed, "app.py"), ask=True)
    assert {row.path: row.left.value for row in found.differences} == {"scheduler.class": "CogVideoXDDIMScheduler"}
    found = compare_sources(read_text(changed, "run.py"), read_text(usual, "app.py"), ask=True)
    assert {row.right.value for row in found.differences} == {"not set"}


def test_a_moved_repository_counts_as_the_same() -> None:
    former = SCRIPT.replace("zai-org/", "THUDM/")
    found = compare_sources(read_text(former, "run.py"), read_text(SCRIPT, "app.py"))
    assert found.differences == []
    assert any("THUDM" in note and "zai-org" in note and "moved" in note for note in found.notes)
    other = compare_sources(read_text(former.replace("5b", "2b"), "run.py"), read_text(SCRIPT, "app.py"))
    assert [row.path for row in other.differences] == ["model.id"]
    part = 'CogVideoXTransformer3DModel.from_pretrained("{}/CogVideoX-5b", subfolder="transformer")'
    borrowed = f"pipe.transformer = {part}\npipe.enable"
    each = [SCRIPT.replace("pipe.enable", borrowed.format(owner)) for owner in ("THUDM", "zai-org")]
    assert compare_sources(read_text(each[0], "run.py"), read_text(each[1], "app.py")).differences == []


def test_a_repository_that_the_hub_redirects_counts_as_the_same(tmp_path: Path) -> None:
    moved = SCRIPT.replace("zai-org/CogVideoX-5b", "someone/old-name")
    models = {"someone/old-name": Model(moved_to="zai-org/CogVideoX-5b"), "zai-org/CogVideoX-5b": model(CONFIG)}
    result = asked(moved, SCRIPT, tmp_path, models)
    assert result["rows"] == {}
    assert any("moved" in note for note in result["notes"])


def test_an_ignored_argument_is_said() -> None:
    ignoring = SCRIPT.replace("torch_dtype=torch.bfloat16", "torch_dtype=torch.bfloat16, use_dynamic_cfg=True")
    found = compare_sources(read_text(ignoring, "run.py"), read_text(SCRIPT, "app.py"))
    (ignored,) = found.ignored
    assert "the script: use_dynamic_cfg = True is ignored by CogVideoXPipeline.from_pretrained (run.py:" in ignored


def test_defaults_are_those_of_the_installed_library() -> None:
    import inspect

    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    import diffusers

    for name in ("CogVideoXPipeline", "WanPipeline", "StableDiffusionPipeline"):
        signature = inspect.signature(getattr(diffusers, name).__call__)
        read = call_defaults(name)
        assert read["num_inference_steps"] == 50
        assert all(signature.parameters[argument].default == value for argument, value in read.items())
    assert call_defaults("NoSuchPipeline") == {}
    assert call_defaults("not a name; import os") == {}


def test_defaults_of_inputs_count_as_read() -> None:
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
    text = scenario_text(compare_sources(script, demo), script, demo, "org/space")
    scenario = parse_scenario(text, Path("why.toml"))
    assert scenario.settings_of("baseline").value("placement") == "model_cpu_offload"
    hosted = scenario.settings_of("as-hosted")
    assert hosted.value("call.use_dynamic_cfg") is True
    assert hosted.value("scheduler.class") == "CogVideoXDPMScheduler"
    assert scenario.explain
    assert scenario.prompts["main"].text == "a lemon"
    assert "# open: what is output.fps in the Space?" in text


def test_the_scenario_calls_the_endpoint_of_the_source(demo: Reading) -> None:
    script = read_text(SCRIPT, "run.py")
    scenario = parse_scenario(scenario_text(compare_sources(script, demo), script, demo, "org/space"), Path("why.toml"))
    asked_for = scenario.reference.space
    assert asked_for
    assert asked_for.endpoint == "/generate"
    assert asked_for.inputs == {"prompt": "{prompt}", "video_strength": 0.8, "seed_value": "{seed}",
                                "scale_status": False, "rife_status": False}  # fmt: skip
    assert (asked_for.outputs.video, asked_for.outputs.seed) == (0, 1)


INTERFACE = """
import gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b")
def draw(text, randomize_seed, seed):
    return pipe(prompt=text).frames[0]
gr.Interface(draw, [gr.Textbox(), gr.Checkbox(label="Randomize seed", value=True), gr.Number(0)], gr.Video())
"""


@pytest.mark.parametrize(("version", "name"), [("6.1.0", "draw"), ("5.49.1", "predict"), ("3.50.2", ""), ("", "")])
def test_an_interface_is_called_as_its_version_of_gradio_calls_it(version: str, name: str) -> None:
    space = replace(read_text(INTERFACE, "app.py"), facts={"sdk version": version})
    script = read_text(SCRIPT, "run.py")
    text = scenario_text(compare_sources(script, space), script, space, "org/space")
    asked_for = parse_scenario(text, Path("why.toml")).reference.space
    assert asked_for
    if name:
        assert asked_for.endpoint == f"/{name}"
        assert asked_for.inputs == {"text": "{prompt}", "randomize_seed": False, "seed": "{seed}"}
        assert "to be checked" not in text
    else:
        assert "# to be checked" in text


def test_hostile_texts_still_give_a_valid_scenario() -> None:
    hostile = SCRIPT.replace("a lemon", 'x"]\\n[gate]\\nvariant = \\"\\u0007').replace("5b", '5b\\"\\n')
    script = read_text(hostile, "run.py")
    for asked, gates in (("org/space", 1), ("", 0)):
        text = scenario_text(compare_sources(script, script), script, script, asked)
        assert text.count("\n[gate]\n") == gates


def test_the_plan_is_quick_and_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    code = (
        "import sys; from spacediff.cli.commands import main; code = main(sys.argv[1:]);"
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
    assert main(arguments) == 0, "the same text again is no other scenario"
    capsys.readouterr()
    (tmp_path / "why.toml").write_text("title = 'mine'")
    assert main(arguments) == 2
    assert "already exists" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("missing", ["--script", "--space"])
def test_a_missing_source_exits_with_2(missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = {"--script": str(SOURCES / "cogvideox_t2v.py"), "--space": str(SOURCES / "cogvideox_demo")}
    there[missing] = str(tmp_path / "none.py")
    assert main(["why", *(word for pair in there.items() for word in pair), "--plan-only"]) == 2
    assert "none.py" in capsys.readouterr().err


HOSTILE_VALUES = ["grösse=4", "guidance_scale=1e999", "negative_prompt='\\ud800'", "sigmas=[1.0, 1e999]", "seed_=2**63"]


@pytest.mark.parametrize("argument", HOSTILE_VALUES)
def test_the_scenario_is_valid_for_any_argument_of_a_source(argument: str) -> None:
    space = read_text(SCRIPT.replace('"a lemon"', f'"a lemon", {argument}'), "app.py")
    script = read_text(SCRIPT, "run.py")
    for one, other in ((script, space), (space, script)):
        text = scenario_text(compare_sources(one, other), one, other, "org/space")
        text.encode()
        tables = tomllib.loads(text)
        name = argument.partition("=")[0]
        assert tables["baseline"]["placement"] == "model_cpu_offload"
        said = (tables["baseline"] if one is space else tables["variants"]["as-hosted"]).get("call", {})
        assert name not in said
        left_out = "# open: call.grösse" in text or 'setting = "call.grösse"' in text
        assert left_out is (argument == "grösse=4"), "no pipeline takes such an argument"


def test_a_prompt_that_toml_cannot_hold_is_left_to_the_user() -> None:
    script = read_text(SCRIPT.replace("a lemon", "\\ud800"), "run.py")
    text = scenario_text(compare_sources(script, script), script, script, "org/space")
    assert tomllib.loads(text)["prompts"]["main"]["text"] == "write the prompt here"


def test_inputs_with_names_of_any_alphabet_are_sent() -> None:
    space = read_text(
        INTERFACE.replace("text", "größe").replace("gr.Textbox()", "gr.Textbox(label='Prompt')"), "app.py"
    )
    space = replace(space, facts={"sdk version": "6.1.0"})
    script = read_text(SCRIPT, "run.py")
    tables = tomllib.loads(scenario_text(compare_sources(script, space), script, space, "org/space"))
    assert tables["reference"]["space"]["inputs"]["größe"] == "{prompt}"


def test_names_are_not_cut_if_the_output_is_not_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    (tmp_path / "run.py").write_text(SCRIPT.replace("CogVideoXPipeline", "CogVideoXImageToVideoPipeline"))
    (tmp_path / "app.py").write_text(HOSTED)
    assert main(["why", "--script", str(tmp_path / "run.py"), "--space", str(tmp_path / "app.py"), "--plan-only"]) == 0
    table = capsys.readouterr().out.partition("what to change")[0]
    for name in ("CogVideoXImageToVideoPipeline", "scheduler.timestep_spacing", "CogVideoXDPMScheduler"):
        assert name in table


ON_ANY_DEVICE = SCRIPT.replace("pipe.enable_model_cpu_offload()", "pipe.to(device)").replace(
    "pipe = ", 'device = "cuda" if torch.cuda.is_available() else "cpu"\npipe = '
).replace("pipe(prompt", "pipe(generator=torch.Generator(device).manual_seed(42), prompt")  # fmt: skip
ON_CUDA_WITH_NOISE_OF_THE_CPU = ON_ANY_DEVICE.replace("Generator(device)", 'Generator("cpu")')


def on(device: str) -> MachineLookUp:
    return lambda _: Machine(device, "a machine")


def test_a_generator_on_the_scripts_device_is_the_first_suspect_on_a_machine_with_cuda() -> None:
    space = read_text(ON_CUDA_WITH_NOISE_OF_THE_CPU, "app.py", look_up=on("cuda"))
    found = compare_sources(read_text(ON_ANY_DEVICE, "run.py", look_up=on("cuda")), space)
    (row,) = found.differences
    assert (row.path, row.left.value, row.right.value) == ("rng.device", "cuda", "cpu")
    assert row.known
    assert row.known.size == "another sample"


def test_a_generator_on_the_cpu_of_both_is_no_suspect() -> None:
    space = read_text(ON_CUDA_WITH_NOISE_OF_THE_CPU, "app.py", look_up=on("cuda"))
    found = compare_sources(read_text(ON_ANY_DEVICE, "run.py", look_up=on("cpu")), space)
    (row,) = found.differences
    assert (row.path, row.left.value, row.right.value) == ("placement", "cpu", "cuda")
    assert row.known
    assert row.known.id == "device-type", "other kernels are no offloading"


def test_a_device_of_an_unknown_machine_is_a_question_with_its_condition() -> None:
    space = read_text(ON_CUDA_WITH_NOISE_OF_THE_CPU, "app.py", look_up=on("cuda"))
    found = compare_sources(read_text(ON_ANY_DEVICE, "run.py"), space)
    assert found.differences == []
    words = "what is rng.device in the script? 'cuda' with CUDA, otherwise 'cpu' (run.py:5)"
    assert words in found.questions


@pytest.mark.parametrize(
    ("ours", "theirs", "cause"),
    [
        ('to("cuda")', "enable_model_cpu_offload()", "offloading"),
        ('to("cpu")', "enable_model_cpu_offload()", "device-type"),
        ('to("cuda")', 'to("mps")', "device-type"),
        ("set_progress_bar_config(disable=True)", 'to("cuda")', "device-type"),
        ('to("cuda:1")', 'to("cuda")', None),
    ],
)
def test_what_a_placement_changes_depends_on_the_devices(ours: str, theirs: str, cause: str | None) -> None:
    text = SCRIPT.replace("pipe(prompt", 'pipe(generator=torch.Generator("cpu").manual_seed(1), prompt')
    left, right = (text.replace("enable_model_cpu_offload()", each) for each in (ours, theirs))
    found = compare_sources(read_text(left, "run.py"), read_text(right, "app.py"))
    assert [row.known.id for row in found.differences if row.known] == ([cause] if cause else [])
    assert any("same type of device" in note for note in found.notes) is (cause is None)


def test_noise_without_a_generator_is_drawn_on_the_device_of_the_placement() -> None:
    text = SCRIPT.replace("pipe.enable_model_cpu_offload()", 'torch.manual_seed(1)\npipe.to("cuda")')
    found = compare_sources(read_text(text, "run.py"), read_text(text.replace('"cuda"', '"cpu"'), "app.py"))
    (row,) = found.differences
    assert row.known
    assert row.known.id == "generator-device"
