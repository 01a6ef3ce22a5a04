from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spacediff.errors import SpacediffError
from spacediff.plan import plan_files, plan_scenario
from spacediff.record import Role
from spacediff.run import Run, Stop
from spacediff.scenario.scenario import Scenario, parse_scenario

TEXT = """
title = "t"
[prompts.lemon]
text = "a lemon"
seed = 42
[prompts.hand]
text = "a hand"
seed = 7
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
call = { guidance_scale = 6.0 }
[variants.dynamic-cfg]
call.use_dynamic_cfg = true
[variants.both]
from = ["dynamic-cfg"]
call.guidance_scale = 7.0
[scale]
seeds = 2
"""
SPACE = """
[reference.space]
id = "builtin:tiny-space-random"
endpoint = "/generate"
inputs = { prompt = "{prompt}" }
outputs = { video = 0 }
"""
HERE: dict[str, str] = {"torch": "2.13.0"}


def scenario(more: str = SPACE, text: str = TEXT) -> Scenario:
    return parse_scenario(text + more, Path("some/where/lemon.toml"))


def named(runs: tuple[Run, ...], prompt: str = "lemon") -> dict[str, Run]:
    return {run.name: run for run in runs if run.prompt.name == prompt}


def test_each_prompt_gets_its_runs() -> None:
    plan = plan_scenario(scenario())
    for prompt, seed in (("lemon", 42), ("hand", 7)):
        runs = named(plan.runs, prompt)
        names = ["reference", "baseline", "dynamic-cfg", "both", "rerun", f"seed-{seed + 1}", f"seed-{seed + 2}"]
        assert list(runs) == names
        assert runs[f"seed-{seed + 2}"].settings.value("rng.seed") == seed + 2
    assert named(plan.runs)["both"].changes.value("call.use_dynamic_cfg") is True
    assert named(plan.runs)["both"].settings.value("call.guidance_scale") == 7.0
    assert plan.command == "spacediff audit lemon.toml"


def test_only_selects_variants_and_keeps_the_controls() -> None:
    runs = named(plan_scenario(scenario(), ["both"]).runs)
    assert list(runs) == ["reference", "baseline", "both", "rerun", "seed-43", "seed-44"]


def test_an_unknown_variant_gets_a_suggestion() -> None:
    with pytest.raises(SpacediffError, match="did you mean 'dynamic-cfg'") as caught:
        plan_scenario(scenario(), ["dynamic_cfg"])
    assert "both" in caught.value.hint


def test_a_variant_can_be_the_reference() -> None:
    plan = plan_scenario(scenario('[reference]\nvariant = "both"'), ["dynamic-cfg"])
    assert plan.reference == "both"
    assert {run.name: run.against for run in plan.runs if run.name in {"both", "baseline", "seed-43"}} == {
        "both": "",
        "baseline": "both",
        "seed-43": "both",
    }
    assert {run.role for run in plan.runs} == {Role.BASELINE, Role.VARIANT, Role.RERUN, Role.SEED}
    assert "both" in named(plan.runs), "the reference is measured although it was not asked for"


def test_a_space_is_asked_as_often_as_the_scenario_says() -> None:
    runs = named(plan_scenario(scenario(SPACE + "repeats = 3")).runs)
    hosted = [run for run in runs.values() if run.source == "space"]
    assert [run.name for run in hosted] == ["reference", "reference-2", "reference-3"]
    assert len({run.key(HERE) for run in hosted}) == 3


def test_equal_runs_have_equal_keys_and_different_runs_different_ones() -> None:
    first, second = (named(plan_scenario(scenario()).runs) for _ in range(2))
    assert {name: run.key(HERE) for name, run in first.items()} == {name: run.key(HERE) for name, run in second.items()}
    keys = {run.key(HERE) for run in first.values()}
    assert len(keys) == len(first)


@pytest.mark.parametrize(
    "change",
    [
        ('text = "a lemon"', 'text = "a lemon."'),
        ("seed = 42", "seed = 41"),
        ("guidance_scale = 6.0", "guidance_scale = 6.5"),
        ('id = "builtin:tiny-cogvideox-random"', 'id = "./elsewhere"'),
    ],
)
def test_whatever_determines_a_clip_changes_its_key(change: tuple[str, str]) -> None:
    before = named(plan_scenario(scenario()).runs)["dynamic-cfg"]
    after = named(plan_scenario(scenario(text=TEXT.replace(*change))).runs)["dynamic-cfg"]
    assert before.key(HERE) != after.key(HERE)


@pytest.mark.parametrize("change", [{"target": "b"}, {"seeds": ("s", "u")}, {"after": 1}, {"far": 0.3}, {"last": 2}])
def test_whatever_decides_when_a_run_ends_changes_its_key(change: dict[str, Any]) -> None:
    stop = Stop("a", ("s", "t"))
    run = replace(named(plan_scenario(scenario()).runs)["dynamic-cfg"], stop=stop)
    keys = {each.key(HERE) for each in (run, replace(run, stop=None), replace(run, stop=replace(stop, **change)))}
    assert len(keys) == 3
    of_script, fetched = replace(run, source="script"), replace(run, source="space")
    assert of_script.key(HERE) != replace(of_script, stop=None).key(HERE), "its call ends early too"
    assert fetched.key(HERE) == replace(fetched, stop=None).key(HERE), "what is fetched does not"


def test_the_target_of_the_search_is_marked_under_all_its_names_on_the_first_prompt() -> None:
    same = "[variants.same]\nfrom = ['both']\n[explain]\nfrom = 'baseline'\nto = 'both'\n"
    runs = plan_scenario(scenario(SPACE + same)).runs
    assert [(run.prompt.name, run.name) for run in runs if run.is_target] == [("lemon", "both"), ("lemon", "same")]
    usual = named(runs)["both"]
    assert usual.key(HERE) == replace(usual, is_target=False).key(HERE)
    assert not any(run.is_target for run in plan_scenario(scenario()).runs)


def test_the_machine_determines_local_clips_only() -> None:
    other: dict[str, Any] = {"torch": "2.11.0"}
    builtin = named(plan_scenario(scenario()).runs)
    assert builtin["baseline"].key(HERE) != builtin["baseline"].key(other)
    assert builtin["reference"].key(HERE) != builtin["reference"].key(other), "the builtin Space is generated here too"
    hosted = named(plan_scenario(scenario(SPACE.replace("builtin:tiny-space-random", "org/name"))).runs)
    assert hosted["reference"].key(HERE) == hosted["reference"].key(other)


def test_seeds_of_the_scale_are_not_used_by_other_runs() -> None:
    text = TEXT.replace("[variants.both]", "rng.seed = 44\n[variants.both]")
    text = text.replace("call = { guidance_scale = 6.0 }", "call = { guidance_scale = 6.0 }\nrng.seed = 43")
    runs = named(plan_scenario(scenario(text=text)).runs)
    assert [name for name in runs if name.startswith("seed")] == ["seed-45", "seed-46"]


def test_runs_can_be_pickled() -> None:
    runs = plan_scenario(scenario()).runs
    assert runs
    for run in runs:
        assert pickle.loads(pickle.dumps(run)).key(HERE) == run.key(HERE)  # noqa: S301 - our own bytes


def test_a_changed_file_is_a_different_run(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"one")
    before = plan_files(tmp_path / "a.mp4", tmp_path / "b.mp4")
    (tmp_path / "b.mp4").write_bytes(b"other")
    after = plan_files(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert before.runs[0].key(HERE) == after.runs[0].key(HERE)
    assert before.runs[1].key(HERE) != after.runs[1].key(HERE)


def test_parts_and_other_prompts_of_a_private_prompt_are_private_too() -> None:
    more = SPACE.replace('"{prompt}"', '"{prompt}", negative_prompt = "sent to the Space"')
    more += '[semantics]\nmodel = "org/clip"\nparts = ["a hidden zeppelin"]\n'
    text = TEXT.replace("seed = 7", "seed = 7\nprivate = true").replace("[variants.both]", "[variants.negative]\n"
        'call.negative_prompt = ["sent here", "and here"]\n[variants.both]')  # fmt: skip
    texts = plan_scenario(scenario(more, text)).private_texts
    assert set(texts) == {"a hand", "a hidden zeppelin", "sent to the Space", "sent here", "and here"}
    assert plan_scenario(scenario(more)).private_texts == ()


def test_a_recording_can_feed_the_stages_of_a_run() -> None:
    steps = "[steps]\nalone = ['baseline']\nagainst = 'reference'"
    runs = named(
        plan_scenario(scenario(f"[reference.recording]\nfiles = {{ lemon = 'a.zip', hand = 'b.zip' }}\n{steps}")).runs
    )
    fed = runs["baseline-alone"]
    assert (fed.fed_from, fed.fed_by, fed.request["file"]) == ("reference", None, runs["reference"].request["file"])
    with pytest.raises(SpacediffError, match=r"steps\.against"):
        scenario(f"{SPACE}\n{steps}")
