from __future__ import annotations

import json
import pickle
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from spacediff.errors import Exit, Mistake, ScenarioError, SpacediffError
from spacediff.scenario.scenario import MAX_BYTES, Scenario, load_scenario, parse_scenario, scenario_schema
from spacediff.scenario.tables import OWNED
from spacediff.settings import Origin

DESIGN = """\
title = "CogVideoX-5b: the usual script against the Space"

[prompts.lemon]
text = "A hand squeezes half a lemon over a glass bowl, close-up"
seed = 42

[baseline]                                   # what people run
model    = { id = "zai-org/CogVideoX-5b", dtype = "bfloat16" }
call     = { num_inference_steps = 50, num_frames = 49, guidance_scale = 6.0 }
rng      = { device = "cuda" }
placement = "model_cpu_offload"              # cuda | cpu | model_cpu_offload | sequential_cpu_offload | group_offload

[reference.space]
id = "zai-org/CogVideoX-5B-Space"
endpoint = "/generate"
inputs  = { prompt = "{prompt}", seed_value = "{seed}", scale_status = false, rife_status = false }
outputs = { video = 0, seed = 3 }

[variants.dynamic-cfg]
call.use_dynamic_cfg = true
[variants.dpm]
scheduler = { class = "CogVideoXDPMScheduler", timestep_spacing = "trailing" }
[variants.on-gpu]
placement = "cuda"
[variants.as-hosted]
from = ["dynamic-cfg", "dpm", "on-gpu"]      # all of these together
call.guidance_scale = 7.0
rng.device = "cpu"

[explain]                                    # search for the cause between these two
from = "baseline"
to   = "as-hosted"

[gate]                                       # what `make audit` passes or fails on
variant = "as-hosted"
max_drift = 0.05
"""
"""The example of the design, word for word."""

MINIMAL = """\
title = "t"
prompts.lemon = { text = "a lemon", seed = 1 }
baseline.model.id = "builtin:tiny-cogvideox"
reference.variant = "baseline"
"""
HERE = Path("scenarios") / "quickstart.toml"


def mistakes_in(text: str) -> tuple[Mistake, ...]:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, HERE)
    assert caught.value.exit_code is Exit.BAD_INPUT
    return caught.value.mistakes


def values(scenario: Scenario, name: str) -> dict[str, Any]:
    return {path: setting.value for path, setting in scenario.settings_of(name).items()}


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


def test_each_setting_tells_the_line_that_declares_it() -> None:
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


def test_chains_apply_in_order_and_a_shared_ancestor_enters_once() -> None:
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


def test_a_long_chain_is_no_deep_recursion() -> None:
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


def test_a_hub_id_is_no_path(tmp_path: Path) -> None:
    text = MINIMAL.replace("builtin:tiny-cogvideox", "org/name")
    assert values(parse_scenario(text, tmp_path / "s.toml"), "baseline")["model.id"] == "org/name"


def test_a_video_for_each_prompt(tmp_path: Path) -> None:
    text = MINIMAL.replace('reference.variant = "baseline"', 'reference.video.files = { lemon = "/clips/a.mp4" }')
    scenario = parse_scenario(text, tmp_path / "s.toml")
    assert scenario.reference.video is not None
    assert scenario.reference.video.files == {"lemon": Path("/clips/a.mp4")}


def test_a_scenario_does_not_change_and_travels() -> None:
    scenario = parse_scenario(DESIGN, HERE)
    with pytest.raises(ValidationError):
        scenario.title = "other"  # type: ignore[misc]
    copy = pickle.loads(pickle.dumps(scenario))  # noqa: S301 - our own bytes
    assert copy == scenario
    assert copy.settings_of("as-hosted")["rng.device"].where == "quickstart.toml:28"


def test_every_declared_table_is_taken() -> None:
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


MISTAKES = [
    # what is added below MINIMAL (from line 5), line, key, found, expected, nearest
    ("titel = 1", 5, "titel", "the unknown key 'titel'", "one of the keys title, question, private, prompts", "title"),
    ("scale.seeds = 0", 5, "scale.seeds", "0", "a whole number from 1 to 32", ""),
    ("scale.seeds = 33", 5, "scale.seeds", "33", "a whole number from 1 to 32", ""),
    ("scale.seeds = 3.0", 5, "scale.seeds", "3.0", "a whole number from 1 to 32", ""),
    ("scale.rerun = 1", 5, "scale.rerun", "1", "true or false", ""),
    ("metrics = ['flipp']", 5, "metrics.0", "'flipp'", "'flip'", "flip"),
    ("metrics = 'flip'", 5, "metrics", "'flip'", "a list; each entry 'flip'", ""),
    ("scale = 3", 5, "scale", "3", "a table with the keys seeds, rerun", ""),
    ("private = 1", 5, "private", "1", "true or false", ""),
    ("privat = true", 5, "privat", "the unknown key 'privat'", "one of the keys title", "private"),
    ("prompts.b = { text = '', seed = 1 }", 5, "prompts.b.text", "''", "a text of 1 to 20,000 characters", ""),
    ("prompts.b = { text = ' ', seed = 1 }", 5, "prompts.b.text", "' '", "a text of 1 to 20,000 characters", ""),
    ("prompts.b = { text = 'x' }", 5, "prompts.b.seed", "nothing", "a whole number from 0 to 9223372036854775807", ""),
    ("prompts.b = { text = 'x', seed = -1 }", 5, "prompts.b.seed", "-1", "a whole number from 0 to", ""),
    ("prompts.b = { text = 'x', seed = true }", 5, "prompts.b.seed", "true", "a whole number from 0 to", ""),
    (
        "prompts.b = { text = 'x', seed = 0x8000000000000000 }",
        5,
        "prompts.b.seed",
        "9223372036854775808",
        "64 bits",
        "",
    ),
    (
        "prompts.b = { text = 'x', seed = 1, sed = 1 }",
        5,
        "prompts.b.sed",
        "the unknown key 'sed'",
        "text, seed",
        "seed",
    ),
    ("prompts.'../up' = { text = 'x', seed = 1 }", 5, 'prompts."../up"', "'../up'", "letters, digits, - and _", ""),
    ("prompts.LEMON = { text = 'x', seed = 1 }", 5, "prompts.LEMON", "'LEMON'", "differs from 'lemon'", ""),
    ("\n[baseline.modle]\n", 6, "baseline.modle", "the unknown key 'modle'", "one of the keys model, load", "model"),
    ("baseline.guidance_scale = 6", 5, "baseline.guidance_scale", "the unknown key", "go into the call table", ""),
    ("baseline.model.dtype = 'bf16'", 5, "baseline.model.dtype", "'bf16'", "one of float32, bfloat16", "bfloat16"),
    ("baseline.placement = 'gpu'", 5, "baseline.placement", "'gpu'", "one of cuda, cpu, model_cpu_offload", "cuda"),
    ("baseline.placement = ['cpu']", 5, "baseline.placement", "a list", "one of cuda, cpu", ""),
    ("baseline.rng.device = 'CUDA0'", 5, "baseline.rng.device", "'CUDA0'", "one of cpu, cuda, mps, global", ""),
    ("baseline.rng.sed = 1", 5, "baseline.rng.sed", "the unknown key 'sed'", "seed, device, dtype", "seed"),
    ("baseline.scheduler.class = 'ddim'", 5, "baseline.scheduler.class", "'ddim'", "a class name such as", ""),
    ("baseline.vae.tiling = 'yes'", 5, "baseline.vae.tiling", "'yes'", "true or false", ""),
    ("baseline.numerics.threads = 0", 5, "baseline.numerics.threads", "0", "a whole number of at least 1", ""),
    ("baseline.numerics.attention = 'maths'", 5, "baseline.numerics.attention", "'maths'", "math, flash", "math"),
    ("baseline.output.fps = 0", 5, "baseline.output.fps", "0", "a number above 0 and at most 1000", ""),
    ("baseline.output.quality = 11", 5, "baseline.output.quality", "11", "a number from 0 to 10", ""),
    ("baseline.output.rounding = 'rund'", 5, "baseline.output.rounding", "'rund'", "round, truncate", "round"),
    ("baseline.call.prompt = 'x'", 5, "baseline.call.prompt", "the argument 'prompt'", "[prompts.NAME]", ""),
    ("baseline.call.generator = 1", 5, "baseline.call.generator", "the argument", "rng.seed, rng.device", ""),
    ("variants.x.call.output_type = 'np'", 5, "variants.x.call.output_type", "the argument", "needs the frames", ""),
    ("variants.x.call.return_dict = false", 5, "variants.x.call.return_dict", "the argument", "result object", ""),
    ("baseline.load.torch_dtype = 'x'", 5, "baseline.load.torch_dtype", "the argument", "set by model.dtype", ""),
    ("baseline.load.token = 'x'", 5, "baseline.load.token", "the argument 'token'", "HF_TOKEN", ""),
    ("baseline.call.guidance-scale = 6", 5, "baseline.call.guidance-scale", "the argument", "Python", "guidance_scale"),
    ("baseline.call.'a.b' = 6", 5, 'baseline.call."a.b"', "the key 'a.b'", "holds no dot", ""),
    ("baseline.call.a = { '' = 6 }", 5, 'baseline.call.a.""', "the key ''", "not empty", ""),
    ("baseline.call.a = nan", 5, "baseline.call.a", "nan", "a finite number", ""),
    ("baseline.call.a = [1,\n -inf]", 6, "baseline.call.a.1", "-inf", "a finite number", ""),
    ("baseline.call.a = 2020-01-01", 5, "baseline.call.a", "the date or time 2020-01-01", "a text, a number", ""),
    ('baseline.call.a = "\\u0000"', 5, "baseline.call.a", "'\\x00'", "without NUL characters", ""),
    (f"baseline.call.a = {'[' * 17}{']' * 17}", 5, "baseline.call.a" + ".0" * 14, "a list", "at most 16", ""),
    (f"baseline.call.a = 0x{'f' * 9000}", 5, "baseline.call.a", "a number of 36000 bits", "64 bits", ""),
    ("[variants.reference]", 5, "variants.reference", "'reference'", "another name", ""),
    ("[variants.Seed-7]", 5, "variants.Seed-7", "'Seed-7'", "another name", ""),
    ("[variants.'a b']", 5, 'variants."a b"', "'a b'", "letters, digits, - and _", ""),
    ("[variants.x]\nfrom = 'baseline'\n", 6, "variants.x.from", "'baseline'", "one of x", ""),
    ("variants.dpm = {}\n[variants.x]\nfrom = [\n'dmp']", 8, "variants.x.from.0", "'dmp'", "one of dpm, x", "dpm"),
    ("[variants.x]\nfrom = 'x'", 6, "variants.x.from", "'x → x'", "a chain of variants that ends", ""),
    ("[variants.x]\nfrom = 3", 6, "variants.x.from", "3", "the name of another variant, or a list", ""),
    ("[variants.x]\nfrom = ['x-', 3]", 6, "variants.x.from.1", "3", "the name of another variant", ""),
    ("[variants.x]\nabout = 3", 6, "variants.x.about", "3", "a text of 1 to 500 characters", ""),
    ("[explain]\nto = 'baseline'", 5, "explain.from", "nothing", "baseline or the name of a variant", ""),
    ("[explain]\nfrom = 'basline'\nto = 'x'", 6, "explain.from", "'basline'", "one of baseline", "baseline"),
    ("explain = { from = 'baseline', to = 'baseline' }", 5, "explain.to", "'baseline'", "another name", ""),
    ("gate.variant = 'x'\nvariants.x1.call.a = 1", 5, "gate.variant", "'x'", "one of baseline, x1", "x1"),
    ("gate = { variant = 'baseline', max_drift = 1.5 }", 5, "gate.max_drift", "1.5", "a number from 0 to 1", ""),
    ("gate.max_drift = 0.1", 5, "gate", "neither of them", 'variant = NAME, against = "accepted", or both', ""),
    ("gate.against = 'yesterday'", 5, "gate.against", "'yesterday'", "'accepted'", ""),
    ("# hf_abcdefghijklmnopqrstuvwxyz", 5, "", "an access token of the Hub", "revoke", ""),
    # broken TOML
    ("scale.seeds =", 5, "scale.seeds", "'scale.seeds ='", "a value: text in quotes", ""),
    ("title = 't'", 5, "title", "\"title = 't'\"", "each key once", ""),
    ("[scale]\n[scale]", 6, "scale", "'[scale]'", "each table once", ""),
    ("scale.seeds 3", 5, "", "'scale.seeds 3'", "a = after the key", ""),
    ("question = 'why", 5, "question", '"question = \'why"', "a closing quote", ""),
    ('question = "why\n', 5, "question", "'question = \"why'", "a closing quote before the end of the line", ""),
    ("scale = { seeds = 3\n}", 5, "scale", "'scale = { seeds = 3'", "on the same line", ""),
    ("scale.seeds = 3 3", 5, "scale.seeds", "'scale.seeds = 3 3'", "the end of the line", ""),
    ("question = 'a\0b'", 5, "question", "a NUL character", "a text without any", ""),
    (f"scale.seeds = {'9' * 5000}", 1, "", "gives up", "Exceeds the limit", ""),
    (f"baseline.call.a = {'[' * 5000}", 1, "", "gives up", "recursion", ""),
]


@pytest.mark.parametrize(
    ("added", "wanted"),
    [
        pytest.param(added, Mistake(line, key, found, expected, nearest), id=f"{number}-{key}")
        for number, (added, line, key, found, expected, nearest) in enumerate(MISTAKES)
    ],
)
def test_a_mistake_says_where_what_and_what_instead(added: str, wanted: Mistake) -> None:
    parse_scenario(MINIMAL, HERE)  # the twin without the mistake
    [mistake] = [mistake for mistake in mistakes_in(f"{MINIMAL}{added}\n") if mistake.key == wanted.key]
    assert (mistake.line, mistake.nearest) == (wanted.line, wanted.nearest)
    assert wanted.found in mistake.found
    assert wanted.expected in mistake.expected


REFERENCES = [
    # what stands in place of line 4, key, found, expected, nearest
    ("", "reference", "nothing", "a table with the keys space, video, variant", ""),
    ("reference = 3", "reference", "3", "a table with the keys space, video, variant", ""),
    ("reference = {}", "reference", "none of them", "exactly one of space, video, variant", ""),
    ("reference = { vidoe = {} }", "reference.vidoe", "the unknown key", "space, video, variant", "video"),
    ("reference = { variant = 'baseline', video = { file = 'a' } }", "reference", "video and variant", "one of", ""),
    ("reference.variant = 'x'", "reference.variant", "'x'", "one of baseline", ""),
    ("reference.video = {}", "reference.video", "none of them", "exactly one of file, files", ""),
    ("reference.video.file = ''", "reference.video.file", "''", "the path of a video file", ""),
    ("reference.video.file = 3", "reference.video.file", "3", "the path of a video file", ""),
    ("reference.video.files = {}", "reference.video.files", "no file for 'lemon'", "a file for each prompt", ""),
    ("reference.video.files.lemmon = 'a'", "reference.video.files.lemmon", "'lemmon'", "the prompts lemon", "lemon"),
    ("reference.space.endpoint = '/g'", "reference.space.id", "nothing", "a Space id such as", ""),
    ("reference.space = { id = 'o/n', endpoint = 'g' }", "reference.space.endpoint", "'g'", 'such as "/generate"', ""),
    ("reference.space.id = 'space'", "reference.space.id", "'space'", "a Space id such as", ""),
    ("reference.space.id = 'o/a--b'", "reference.space.id", "'o/a--b'", "a Space id such as", ""),
    ("semantics.model = 'o/n.git'", "semantics.model", "'o/n.git'", "a CLIP checkpoint", ""),
    ("reference.space.id = 'https://u:p@host/'", "reference.space.id", "'https:", "without password", ""),
    ("reference.space.id = 'builtin:tiny'", "reference.space.id", "'builtin:tiny'", "or", "builtin:tiny-space"),
    ("reference.space.deadline = 0", "reference.space.deadline", "0", "a number above 0", ""),
    ("reference.space.repeats = 0", "reference.space.repeats", "0", "a whole number of at least 1", ""),
    ("reference.space.outputs.video = -1", "reference.space.outputs.video", "-1", "of at least 0", ""),
    ("reference.space.outputs.vid = 1", "reference.space.outputs.vid", "the unknown key", "video, seed", "video"),
    ("reference.space.inputs.p = '{promt}'", "reference.space.inputs.p", "'{promt}'", "one of {prompt}", "{prompt}"),
]


@pytest.mark.parametrize(("line", "key", "found", "expected", "nearest"), REFERENCES)
def test_mistakes_of_the_reference(line: str, key: str, found: str, expected: str, nearest: str) -> None:
    text = MINIMAL.replace('reference.variant = "baseline"', line)
    of_key = [mistake for mistake in mistakes_in(text) if mistake.key == key]
    assert [(mistake.line, mistake.nearest) for mistake in of_key] == [(4 if line else 1, nearest)]
    assert found in of_key[0].found
    assert expected in of_key[0].expected


def test_one_file_does_not_stand_for_two_prompts() -> None:
    text = MINIMAL.replace('reference.variant = "baseline"', 'reference.video.file = "a.mp4"')
    parse_scenario(text, HERE)
    [mistake] = mistakes_in(text + "prompts.lime = { text = 'a lime', seed = 1 }\n")
    assert (mistake.line, mistake.key, mistake.found) == (4, "reference.video.file", "one file for 2 prompts")


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    text = DESIGN.replace("seed = 42", "sead = 42").replace('"cuda" }', '"cdua" }').replace("= 0.05", "= 5")
    text = text.replace('to   = "as-hosted"', 'to   = "as-hostd"').replace("/generate", "generate")
    found = mistakes_in(text)
    assert [(mistake.line, mistake.key) for mistake in found] == [
        (3, "prompts.lemon.seed"),
        (5, "prompts.lemon.sead"),
        (10, "baseline.rng.device"),
        (15, "reference.space.endpoint"),
        (32, "explain.to"),
        (36, "gate.max_drift"),
    ]
    assert [mistake.nearest for mistake in found] == ["", "seed", "cuda", "", "as-hosted", ""]


def test_the_error_is_one_clear_text() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(DESIGN.replace("cuda", "cudda", 1), HERE)
    assert caught.value.message == (
        "quickstart.toml: 1 mistake\n"
        f"  {HERE}:10: baseline.rng.device: found 'cudda'; "
        "expected one of cpu, cuda, mps, global (did you mean 'cuda'?)"
    )


def test_every_cycle_is_found() -> None:
    links = {"a": "b", "b": "c", "c": "a", "d": "d", "e": "a"}
    text = MINIMAL + "".join(f'[variants.{name}]\nfrom = "{to}"\n' for name, to in links.items())
    found = mistakes_in(text)
    assert len(found) == 2
    assert {mistake.expected for mistake in found} == {"a chain of variants that ends"}
    assert "'d → d'" in {mistake.found for mistake in found}
    [ring] = [mistake.found.strip("'").split(" → ") for mistake in found if mistake.found != "'d → d'"]
    assert ring[0] == ring[-1]
    assert all(links[name] == to for name, to in pairwise(ring))


def test_found_is_short_and_on_one_line() -> None:
    for value in ('"""' + "long\n" * 99 + '"""', '"\\u001b[2J\\u202e"', "[" + "1, " * 99 + "]", "1e300"):
        [mistake] = mistakes_in(f"{MINIMAL}baseline.placement = {value}\n")
        assert len(mistake.found) <= 60
        assert mistake.found.isprintable()


def test_a_prompt_may_be_long_but_not_endless() -> None:
    text = MINIMAL.replace("a lemon", "x" * 20_000)
    assert len(parse_scenario(text, HERE).prompts["lemon"].text) == 20_000
    [mistake] = mistakes_in(MINIMAL.replace("a lemon", "x" * 20_001))
    assert mistake.found == "a text of 20,001 characters"


def test_an_empty_file_lacks_everything() -> None:
    assert {mistake.key for mistake in mistakes_in("")} == {"title", "prompts", "baseline", "reference"}


def test_a_token_is_not_repeated() -> None:
    token = "hf_" + "a1B2" * 8
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(f"{MINIMAL}baseline.load.token = '{token}'\n", HERE)
    assert token not in caught.value.message


def test_files_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_bytes(MINIMAL.encode() + b"question = '\xff'\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    [mistake] = caught.value.mistakes
    assert (mistake.line, mistake.found, mistake.expected) == (5, "the byte 0xff", "a text in UTF-8")

    file.write_bytes(MINIMAL.encode() + b"#" * MAX_BYTES)
    with pytest.raises(ScenarioError, match="at most 1,000,000 bytes"):
        load_scenario(file)


@pytest.mark.parametrize("name", ["missing.toml", ".", "nul\0.toml"])
def test_files_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpacediffError, match="cannot be read") as caught:
        load_scenario(tmp_path / name)
    assert caught.value.hint


def test_windows_files_load(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_bytes(b"\xef\xbb\xbf" + DESIGN.replace("\n", "\r\n").encode())
    scenario = load_scenario(file)
    assert scenario.settings_of("as-hosted")["call.guidance_scale"].where == "s.toml:27"


# The schema


def permits(node: dict[str, Any], where: tuple[str, ...]) -> bool:
    """Whether a schema knows a key, by its own reading of the JSON Schema words that ours uses."""
    schema = scenario_schema()
    for part in where:
        node = {**schema["$defs"][node["$ref"].removeprefix("#/$defs/")], **node} if "$ref" in node else node
        if part in node.get("properties", {}):
            node = node["properties"][part]
        elif "patternProperties" in node:
            [node] = node["patternProperties"].values()
        else:
            return node.get("additionalProperties") is True and part not in node.get("propertyNames", {}).get(
                "not", {}
            ).get("enum", ())
    return True


def keys_of(table: dict[str, Any], where: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inside = ((key, value) for key, value in table.items() if isinstance(value, dict))
    below = [path for key, value in inside for path in keys_of(value, (*where, key))]
    return [*((*where, key) for key in table), *below]


def test_the_schema_knows_every_key_of_the_example() -> None:
    paths = keys_of(tomllib.loads(DESIGN))
    assert ("variants", "dpm", "scheduler", "class") in paths
    assert all(permits(scenario_schema(), path) for path in paths)


@pytest.mark.parametrize(
    "key", ["titel", "baseline.modle", "baseline.rng.sed", "baseline.call.prompt", "variants.x.from_", "gate.drift"]
)
def test_the_schema_refuses_what_loading_refuses(key: str) -> None:
    assert not permits(scenario_schema(), tuple(key.split(".")))
    assert key in {mistake.key for mistake in mistakes_in(f"{MINIMAL}{key} = 1\n")}


def test_the_schema_suits_an_editor() -> None:
    schema = scenario_schema()
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["required"] == ["title", "prompts", "baseline", "reference"]
    text = json.dumps(schema)
    assert "null" not in text  # TOML has none
    for name, definition in schema["$defs"].items():
        assert definition["description"], name
        for key, node in definition["properties"].items():
            assert "$ref" in node or node["description"], f"{name}.{key}"
    both = schema["$defs"]["Variant"]["properties"]["from"]["anyOf"]
    assert [option["type"] for option in both] == ["string", "array"]


# Properties

words = st.sampled_from(
    [*DESIGN.split(), *DESIGN.splitlines(keepends=True), "\n", " = ", ".", "[", "]", "{", "}", '"', "'", "nan", "1e999"]
)


@given(st.text() | st.lists(words | st.text(max_size=3)).map("".join))
@example("[[prompts]]\n[baseline]\nmodel=[{}]\n[[variants.x]]\nfrom={}\n[reference]\nvideo=[]\n")
@example("prompts=[]\nvariants=1\nreference={space=[],video={files=[{}]}}\nexplain=[]\ngate=''\nscale=[{}]")
def test_any_text_is_a_scenario_or_a_list_of_mistakes(text: str) -> None:
    try:
        parse_scenario(text, HERE)
    except ScenarioError as error:
        assert_clear(error, text)


@given(st.data())
def test_a_damaged_scenario_is_still_one_or_a_list_of_mistakes(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(DESIGN)))
    end = data.draw(st.integers(start, min(start + 40, len(DESIGN))))
    text = DESIGN[:start] + data.draw(words | st.text(max_size=8)) + DESIGN[end:]
    try:
        scenario = parse_scenario(text, HERE)
    except ScenarioError as error:
        assert_clear(error, text)
    else:
        assert all(scenario.settings_of(name) for name in ("baseline", *scenario.variant_names()))


def assert_clear(error: ScenarioError, text: str) -> None:
    assert error.mistakes
    for mistake in error.mistakes:
        assert 1 <= mistake.line <= text.count("\n") + 1
        assert mistake.found
        assert mistake.expected
        assert "Input should" not in mistake.expected
        assert mistake.key.isprintable()


arguments = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: f"call.{name}" not in OWNED)
inner_keys = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="."), min_size=1, max_size=6)
texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12)
scalars = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(inner_keys, inner, max_size=3),
    max_leaves=6,
)


known_keys = st.sampled_from(sorted({part for path in keys_of(tomllib.loads(DESIGN)) for part in path})) | inner_keys
misfits = st.recursive(
    scalars | st.sampled_from(["baseline", "dpm", "as-hosted", "{prompt}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(known_keys, inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.sampled_from(keys_of(tomllib.loads(DESIGN))), misfits), max_size=3))
def test_any_value_at_any_place_is_accepted_or_a_mistake(changes: list[tuple[tuple[str, ...], Any]]) -> None:
    data: dict[str, Any] = tomllib.loads(DESIGN)
    for where, value in changes:
        table = data
        for part in where[:-1]:
            table = table[part] if isinstance(table.get(part), dict) else {}
        table[where[-1]] = value
    text = "".join(f"{json.dumps(key, ensure_ascii=False)} = {toml(value)}\n" for key, value in data.items())
    try:
        scenario = parse_scenario(text, HERE)
    except ScenarioError as error:
        assert_clear(error, text)
    else:
        assert all(scenario.settings_of(name) for name in ("baseline", *scenario.variant_names()))


@given(st.dictionaries(arguments, json_values, min_size=1, max_size=4), st.dictionaries(arguments, scalars, max_size=3))
def test_any_nesting_of_values_survives(call: dict[str, Any], changed: dict[str, Any]) -> None:
    text = f"{MINIMAL}baseline.call = {toml(call)}\nvariants.x.call = {toml(changed)}\n"
    scenario = parse_scenario(text, HERE)
    declared = scenario.settings_of("baseline")
    assert declared.table("call") == call
    assert all(declared[path].where == f"{HERE.name}:5" for path in declared if path.startswith("call."))
    assert scenario.settings_of("x") == declared.changed_by(scenario.changes_of("x"))
    assert scenario.settings_of("x").table("call") == {**call, **changed}


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k, ensure_ascii=False)} = {toml(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
