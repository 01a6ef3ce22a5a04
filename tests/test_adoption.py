"""What a Space used in place of what it was asked for: the local runs of a plan ask for the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from spacediff.adoption import adopted, without_reference
from spacediff.plan import Plan, plan_scenario
from spacediff.record import InsteadRecord, Role, RunRecord
from spacediff.run import Run
from spacediff.scenario.scenario import parse_scenario
from spacediff.wording import sentences

TEXT = """
title = "t"
prompts.lemon = { text = "a lemon", seed = 42 }
prompts.pear = { text = "a pear", seed = 5 }
baseline.model.id = "builtin:tiny-cogvideox-random"
[variants.guided]
call.guidance_scale = 7.0
[variants.other]
rng.seed = 50
[scale]
seeds = 2
[reference.space]
id = "org/name"
endpoint = "/generate"
inputs = { prompt = "{prompt}", seed = "{seed}" }
"""
OTHER_SEED = InsteadRecord(seed=7, own_seed=True)


def planned(text: str = TEXT) -> Plan:
    return plan_scenario(parse_scenario(text, Path("t.toml")))


def fetched(instead: InsteadRecord | None, prompt: str = "lemon", name: str = "reference") -> RunRecord:
    return RunRecord(key=name, name=name, role=Role.REFERENCE, prompt=prompt, source="space", measured=True,
                     instead=instead)  # fmt: skip


def runs(plan: Plan, prompt: str = "lemon") -> dict[str, Run]:
    return {run.name: run for run in plan.runs if run.prompt.name == prompt}


def test_a_seed_of_the_spaces_own_is_that_of_all_local_runs_of_its_prompt() -> None:
    before = planned()
    plan = adopted(before, [fetched(OTHER_SEED), fetched(None, "pear")])
    assert {name for name, run in runs(plan).items() if run.prompt.seed != 7} == {"reference"}
    assert runs(plan)["reference"] == runs(before)["reference"], "what was asked for stays"
    assert runs(plan, "pear") == runs(before, "pear")
    assert plan.prompts == before.prompts
    assert plan.used["lemon"] == replace(before.prompts[0], seed=7)
    assert runs(plan)["guided"].key({}) != runs(before)["guided"].key({}), "it is another clip"
    assert sentences(plan.instead) == [
        "For lemon, the Space was asked for seed 42 and says that it used 7; the runs here use 7 as well."
    ]


def test_the_scale_keeps_its_seeds_but_for_the_one_that_was_used() -> None:
    usual = runs(adopted(planned(), [fetched(OTHER_SEED)]))
    assert {name for name, run in usual.items() if run.role is Role.SEED} == {"seed-43", "seed-44"}
    found = runs(adopted(planned(), [fetched(InsteadRecord(seed=43, own_seed=True))]))
    assert {name for name, run in found.items() if run.role is Role.SEED} == {"seed-44", "seed-45"}
    assert found["seed-45"].settings.value("rng.seed") == found["seed-45"].changes.value("rng.seed") == 45
    assert found["other"].settings.value("rng.seed") == 50, "what the scenario gives a variant stays"


def test_a_rewritten_prompt_is_the_text_of_the_local_runs() -> None:
    plan = adopted(planned(), [fetched(InsteadRecord(prompt="a lemon, cinematic", rewritten=True))])
    texts = {name: run.prompt.text for name, run in runs(plan).items()}
    assert texts.pop("reference") == "a lemon"
    assert set(texts.values()) == {"a lemon, cinematic"}
    assert "“a lemon, cinematic”" in sentences(plan.instead)[0]


@pytest.mark.parametrize(
    ("instead", "text", "why"),
    [
        (InsteadRecord(own_seed=True), TEXT, "unknown"),
        (InsteadRecord(seed=-1, own_seed=True), TEXT, "unusable"),
        (InsteadRecord(seed=2**63, own_seed=True), TEXT, "unusable"),
        (OTHER_SEED, TEXT, "declined"),
        (InsteadRecord(rewritten=True), TEXT, "unknown"),
        (InsteadRecord(rewritten=True), TEXT.replace('title = "t"', 'title = "t"\nprivate = true'), "private"),
        (InsteadRecord(prompt="other", rewritten=True), TEXT, "declined"),
    ],
)
def test_what_is_not_known_or_not_wanted_changes_no_run(instead: InsteadRecord, text: str, why: str) -> None:
    before = replace(planned(text), adopt=why != "declined")
    plan = adopted(before, [fetched(instead)])
    assert plan.runs == before.runs
    assert [each.values["why"] for each in plan.instead] == [why]


def test_the_scenario_says_whether_to_adopt() -> None:
    assert planned().adopt
    assert not planned(TEXT.replace("[reference.space]", "[reference]\nadopt = false\n[reference.space]")).adopt


def test_nothing_is_adopted_where_nothing_is_said_or_groups_are_compared() -> None:
    plan = planned()
    assert adopted(plan, [fetched(None), fetched(OTHER_SEED, name="reference-2")]) == plan
    groups = planned(TEXT.replace('title = "t"', 'title = "t"\nsamples = 6').replace("rng.seed = 50", "call.eta = 0.5"))
    assert adopted(groups, [fetched(OTHER_SEED)]) == groups


def lost(code: str, prompt: str = "lemon", source: str = "space") -> RunRecord:
    record = fetched(None, prompt)
    return record.model_copy(update={"measured": False, "code": code, "reason": "it sleeps", "source": source})


def test_what_needs_no_reference_is_generated_where_there_is_none_for_now() -> None:
    before = planned()
    plan = without_reference(before, [lost("space-sleeping"), fetched(None, "pear")])
    assert plan.without_reference == {"lemon"}
    assert {run.against for run in runs(plan).values()} == {""}
    assert runs(plan, "pear") == runs(before, "pear")


@pytest.mark.parametrize(
    ("run", "text", "stop"),
    [
        (lost("space-api-mismatch"), TEXT, False),
        (lost("space-not-found"), TEXT, False),
        (lost("video-not-readable", source="video"), TEXT, False),
        (lost("space-sleeping"), TEXT, True),
        (lost("space-sleeping"), TEXT.replace('title = "t"', 'title = "t"\nsamples = 6'), False),
        (fetched(None), TEXT, False),
    ],
)
def test_nothing_is_generated_that_only_another_scenario_or_a_reference_makes_useful(
    run: RunRecord, text: str, *, stop: bool
) -> None:
    before = replace(planned(text.replace("rng.seed = 50", "call.eta = 0.5")), stop_without_reference=stop)
    assert without_reference(before, [run]) == before
