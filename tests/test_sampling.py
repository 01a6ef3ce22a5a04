from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.plan import plan_scenario
from spacediff.record import Role
from spacediff.run import Run
from spacediff.scenario.scenario import parse_scenario
from support.scenarios import mistakes_in

TEXT = """
title = "t"
samples = 6
prompts.lemon = { text = "a lemon", seed = 42 }
baseline.model.id = "builtin:tiny-cogvideox-random"
[variants.guided]
call.guidance_scale = 7.0
[scale]
seeds = 2
"""
SPACE = '[reference.space]\nid = "org/name"\nendpoint = "/generate"\ninputs = { seed = "{seed}" }\n'
HERE = {"torch": "2.13.0"}


def runs(reference: str = SPACE, text: str = TEXT) -> dict[str, Run]:
    return {run.name: run for run in plan_scenario(parse_scenario(text + reference, Path("t.toml"))).runs}


def group(found: dict[str, Run], first: str) -> list[Run]:
    return [run for run in found.values() if first in {run.name, run.sample_of}]


def seeds(of: list[Run]) -> list[int]:
    return [run.settings.value("rng.seed") or run.prompt.seed for run in of]


def test_every_side_has_as_many_clips_each_with_a_seed_of_its_own() -> None:
    found = runs()
    for first in ("reference", "baseline", "guided"):
        assert len(group(found, first)) == 6
        assert len(set(seeds(group(found, first)))) == 6
        assert [run.role for run in group(found, first)][1:] == [Role.SAMPLE] * 5
    assert {run.source for run in group(found, "reference")} == {"space"}


def test_the_sides_have_no_seed_in_common_but_that_of_the_prompt() -> None:
    found = runs()
    assert set(seeds(group(found, "reference"))) & set(seeds(group(found, "baseline"))) == {42}


def test_the_seeds_of_the_scale_are_samples_that_are_generated_once() -> None:
    found = runs()
    assert found["seed-43"].key(HERE) == found["baseline-sample-2"].key(HERE)


def test_a_seed_that_a_variant_sets_is_not_drawn_again() -> None:
    own = group(runs(text=TEXT.replace("[scale]", "rng.seed = 44\n[scale]")), "guided")
    assert sorted(seeds(own)) == [43, 44, 45, 46, 47, 48]


def test_a_variant_as_reference_is_a_group_as_well() -> None:
    found = runs('[reference]\nvariant = "guided"')
    assert set(seeds(group(found, "guided"))) & set(seeds(group(found, "baseline"))) == {42}


def test_a_program_is_run_with_each_seed_and_a_script_gets_it_as_a_setting(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("print()")
    text = TEXT.replace('model.id = "builtin:tiny-cogvideox-random"', 'script = "run.py"')
    program = '[reference.command]\nrun = ["python", "generate.py", "{seed}", "{out}"]\n'
    found = {run.name: run for run in plan_scenario(parse_scenario(text + program, tmp_path / "t.toml")).runs}
    assert [run.prompt.seed for run in group(found, "reference")] == [42, 49, 50, 51, 52, 53]
    ours = group(found, "baseline")
    assert {run.source for run in ours} == {"script"}
    assert [run.settings.value("rng.seed") for run in ours] == [None, 43, 44, 45, 46, 47]


@pytest.mark.parametrize("kind", ["video", "pictures", "recording"])
def test_each_of_several_files_is_a_sample(kind: str) -> None:
    found = group(runs(f'[reference.{kind}]\nfile = ["a", "b", "c", "d", "e", "f"]'), "reference")
    assert [run.name for run in found] == ["reference", *(f"reference-sample-{n}" for n in range(2, 7))]
    assert [Path(run.request["file"]).name for run in found] == ["a", "b", "c", "d", "e", "f"]


def test_pictures_stay_one_clip_without_samples() -> None:
    found = runs('[reference.pictures]\nfile = ["a", "b"]', TEXT.replace("samples = 6\n", ""))
    assert len(found["reference"].request["files"]) == 2


MORE_PROMPTS = "prompts.a = { text = 'a', seed = 1 }\nprompts.b = { text = 'b', seed = 1 }"
PARTS = f"semantics = {{ model = 'builtin:tiny-detector', parts = {[f'part {n}' for n in range(14)]} }}"
MANY_PROMPTS = "\n".join(f"prompts.p{n} = {{ text = 'a', seed = 1 }}" for n in range(60))


@pytest.mark.parametrize(
    ("more", "key", "expected"),
    [
        ("samples = 5", "samples", "a whole number from 6 to 64"),
        ("samples = 65", "samples", "a whole number from 6 to 64"),
        ("samples = 8\ngate = { variant = 'baseline', max_drift = 0.1 }", "gate.max_drift", "have no drift"),
        ("samples = 8\ngate = { variant = 'baseline', max_worst_tile = 0.1 }", "gate.max_worst_tile", "have no drift"),
        ("samples = 8\ngate = { against = 'accepted' }", "gate.against", "variant and max_effect"),
        ("samples = 8\ngate = { against = 'accepted', max_rise = 0.1 }", "gate.max_rise", "variant and max_effect"),
        ("gate = { variant = 'baseline', max_effect = 0.3 }", "gate.max_effect", "samples = N as well"),
        (
            "samples = 8\ngate = { variant = 'baseline', max_effect = 1.0 }",
            "gate.max_effect",
            "a number from 0.05 to 0.9",
        ),
        ("samples = 8\nreference.video.file = 'a.mp4'", "reference.video.file", "a list of at least two files"),
        ("samples = 8\nreference.video.files = { lemon = ['a'] }", "reference.video.files.lemon", "at least two files"),
        (
            f"samples = 8\nreference.video.file = {['a.mp4'] * 65}",
            "reference.video.file",
            "at most 64 files",
        ),
        ("samples = 12\nreference.video.file = ['a', 'b']", "reference.video.file", "at least 6 a side: all prompts"),
        ("samples = 6\n" + MORE_PROMPTS, "samples", "at least 7 a side: all prompts and parts need 27 tests"),
        ("samples = 6\n" + PARTS, "samples", "at least 7 a side: all prompts and parts need 24 tests"),
        ("samples = 64\n" + MANY_PROMPTS, "samples", "fewer prompts or parts"),
        ("reference.video.file = ['a.mp4', 'b.mp4']", "reference.video.file", "or samples = N to compare groups"),
        ("variants.a-sample-2.call.x = 1", "variants.a-sample-2", "…-alone and …-sample-N are reserved"),
    ],
)
def test_what_means_nothing_with_or_without_samples_is_refused(more: str, key: str, expected: str) -> None:
    reference = "" if "reference." in more else 'reference.space = { id = "org/name", endpoint = "/generate" }\n'
    found = {mistake.key: mistake for mistake in mistakes_in(BARE + reference + more)}
    assert expected in found[key].expected


BARE = """
title = "t"
prompts.lemon = { text = "a lemon", seed = 1 }
baseline.model.id = "builtin:tiny-cogvideox"
"""


@pytest.mark.parametrize(
    "more",
    [
        "samples = 7\n" + MORE_PROMPTS + '\nreference.space = { id = "org/name", endpoint = "/generate" }',
        "samples = 20\nreference.video.file = ['a', 'b', 'c']",
    ],
)
def test_groups_that_can_show_a_difference_are_accepted(more: str) -> None:
    assert parse_scenario(BARE + more, Path("t.toml")).samples
