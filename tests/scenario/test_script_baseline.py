from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.errors import ScenarioError
from spacediff.plan import plan_scenario
from spacediff.scenario.scenario import load_scenario, parse_scenario
from support.scenarios import HERE, mistakes_in, values

SCRIPT = """\
title = "t"
prompts.lemon = { seed = 1 }
baseline.script = "run.py"
reference.variant = "baseline"
"""

MISTAKES = [
    # what is added below SCRIPT (from line 5), key, expected
    ("baseline.model.id = 'builtin:tiny-cogvideox'", "baseline.model", "what is to differ goes into a variant"),
    ("baseline.call.num_frames = 5", "baseline.call", "the number of the script's call"),
    ("baseline.call = 0", "baseline.call", "the number of its call, from 1"),
    ("baseline.args = [1]", "baseline.args.0", "a text"),
    ("baseline.args = '--steps 5'", "baseline.args", "a list; each entry a text"),
    ("variants.v.model.id = 'a/b'", "variants.v.model.id", "call.…, scheduler.…"),
    ("variants.v.rng.stream = 'float32'", "variants.v.rng.stream", "rng.seed, rng.device"),
    ("variants.v.lora.style.fused = true", "variants.v.lora.style.fused", "lora.NAME.scale"),
    ("variants.v.guider.class = 'ClassifierFreeGuidance'", "variants.v.guider.class", "what can be put into"),
    ("variants.v.call.generator = 1", "variants.v.call.generator", "no generator here"),
    ("variants.v.placement = 'group_offload'", "variants.v.placement", "another placement"),
    ("variants.v.cache.class = 'FirstBlockCacheConfig'", "variants.v.cache.class", "what can be put into"),
    ("steps.alone = ['baseline']", "steps.alone", "no such runs"),
    ("prompts.x = { seed = 1, inputs.image = 'a.png' }", "prompts.x.inputs", "opens its own pictures"),
]


@pytest.mark.parametrize(("added", "key", "expected"), MISTAKES)
def test_mistakes_have_line_key_and_what_is_expected(added: str, key: str, expected: str) -> None:
    mistake, *_ = mistakes_in(f"{SCRIPT}{added}\n")
    assert (mistake.line, mistake.key) == (5, key)
    assert expected in mistake.expected


@pytest.mark.parametrize(
    ("added", "nearest"),
    [("baseline.arg = ['x']", "args"), ("variants.v.cal.guidance_scale = 3", "call"),
     ("variants.v.model.id = 'a/b'", ""), ("variants.v.shedule.class = 'X'", "scheduler")],
)  # fmt: skip
def test_a_misspelt_key_has_the_nearest_one(added: str, nearest: str) -> None:
    assert mistakes_in(f"{SCRIPT}{added}\n")[0].nearest == nearest


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("baseline.script = 'run.sh'", "baseline.script"),
        ("baseline.call = 2", "baseline.call"),
        ("baseline.args = ['x']", "baseline.args"),
        ("baseline.python = 'python'", "baseline.python"),
        ("baseline.rng.seed = 3", "baseline.model"),
    ],
)
def test_what_belongs_to_a_script_needs_one(line: str, key: str) -> None:
    model = "" if key in {"baseline.script", "baseline.model"} else "baseline.model.id = 'a/b'\n"
    text = SCRIPT.replace('baseline.script = "run.py"\n', f"{model}{line}\n")
    assert key in {mistake.key for mistake in mistakes_in(text)}


def test_a_space_needs_the_prompt() -> None:
    space = "reference.space = { id = 'a/b', endpoint = '/x' }"
    text = SCRIPT.replace('reference.variant = "baseline"', space)
    assert [each.key for each in mistakes_in(text)] == ["prompts.lemon.text"]


def test_variants_are_what_is_put_in() -> None:
    text = f"""{SCRIPT}
[variants.v]
call.guidance_scale = 3.0
lora.style.scale = 0.5
lora.detail.scale = 0.2
vae.tile_sample_min_height = 8
vae.dtype = "float32"
numerics.attention = "math"
numerics.compile.mode = "default"
numerics.threads = 1
"""
    scenario = parse_scenario(text, HERE)
    assert values(scenario, "baseline") == {}
    assert values(scenario, "v") == {
        "call.guidance_scale": 3.0,
        "lora.detail.scale": 0.2,
        "lora.style.scale": 0.5,
        "numerics.attention": "math",
        "numerics.compile.mode": "default",
        "numerics.threads": 1,
        "vae.dtype": "float32",
        "vae.tile_sample_min_height": 8,
    }


def test_a_script_that_is_not_there_is_a_mistake_and_one_that_is_a_run(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(f"{SCRIPT}baseline.args = ['--x', '1']\nbaseline.call = 2\n[variants.v]\ncall.eta = 1.0\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    assert [(each.line, each.key) for each in caught.value.mistakes] == [(3, "baseline.script")]
    (tmp_path / "run.py").write_text("print('never run by a plan')")
    runs = {run.name: run for run in plan_scenario(load_scenario(file)).runs}
    assert {run.source for run in runs.values()} == {"script"}
    assert runs["v"].request["arguments"] == ["--x", "1"]
    assert (runs["v"].request["call"], runs["v"].settings.value("call.eta")) == (2, 1.0)
    assert runs["seed-2"].settings.value("rng.seed") == 2
    keys = {run.key({}) for run in runs.values()}
    assert len(keys) == len(runs)
    (tmp_path / "run.py").write_text("print('another one')")
    assert not keys & {run.key({}) for run in plan_scenario(load_scenario(file)).runs}


def test_prompts_among_the_arguments_of_a_private_script_are_private(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("print()")
    given = "['-n', '8', '--prompt', 'zeppelins', '--negative-prompt=elephants', 'a secret roof', '--out', 'a.png']"
    text = f"{SCRIPT}baseline.args = {given}\n"
    for private, expected in (("", ()), ("private = true\n", ("zeppelins", "elephants", "a secret roof"))):
        (tmp_path / "s.toml").write_text(private + text)
        found = plan_scenario(load_scenario(tmp_path / "s.toml")).private_texts
        assert tuple(filter(None, found)) == expected
