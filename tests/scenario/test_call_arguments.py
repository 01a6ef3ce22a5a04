"""Arguments of pipeline calls that no run could use: found before anything is generated."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.call_arguments import ensure_call_arguments
from spacediff.errors import Mistake, ScenarioError
from spacediff.scenario.scenario import parse_scenario

HEAD = """title = "t"
prompts.p = { text = "a lemon", seed = 1 }
reference.variant = "baseline"
"""
BUILTIN = f'{HEAD}baseline.model.id = "builtin:tiny-cogvideox-random"\n'


def mistakes(text: str, *names: str) -> list[Mistake]:
    scenario = parse_scenario(text, Path("s.toml"))
    try:
        ensure_call_arguments(scenario, names or ("baseline", *scenario.variant_names()))
    except ScenarioError as error:
        return list(error.mistakes)
    return []


def test_all_mistakes_are_named_at_once_each_with_its_line_and_key() -> None:
    call = "baseline.call = { num_inference_steps = -1, guidance_scal = 6.0, height = 64 }\n"
    found = mistakes(f"{BUILTIN}{call}[variants.a]\ncall.nope = 1\n[variants.b]\nfrom = 'a'\ncall.eta = 0.5\n")
    assert [(each.line, each.key, each.found, each.nearest) for each in found] == [
        (5, "baseline.call.guidance_scal", "the argument 'guidance_scal'", "guidance_scale"),
        (5, "baseline.call.num_inference_steps", "-1", ""),
        (7, "variants.a.call.nope", "the argument 'nope'", ""),
    ]
    assert found[1].expected == "a whole number of at least 1"
    assert found[0].expected.startswith("an argument of the call of CogVideoXPipeline: negative_prompt, height, width")


@pytest.mark.parametrize("value", ["0", "true", "2.5", "'2'", "-3"])
def test_a_count_is_a_whole_number_from_1_also_where_the_class_is_unknown(value: str) -> None:
    (found,) = mistakes(f'{HEAD}baseline.model.id = "org/unknown"\nbaseline.call = {{ num_frames = {value}, x = 0 }}\n')
    assert found.key == "baseline.call.num_frames"


@pytest.mark.parametrize("value", ["1", '{ python = "None" }', "[1, 2]"])
def test_what_a_pipeline_may_take_as_a_count_is_left_to_it(value: str) -> None:
    assert mistakes(f"{BUILTIN}baseline.call.num_frames = {value}\n") == []


def test_the_class_is_that_of_the_variant() -> None:
    text = (
        f'{HEAD}baseline.model = {{ id = "org/m", pipeline = "WanPipeline" }}\nbaseline.call.guidance_scale_2 = 3.0\n'
    )
    assert mistakes(text) == []
    (found,) = mistakes(f'{text}[variants.v]\nmodel.pipeline = "CogVideoXPipeline"\n')
    assert (found.line, found.key) == (5, "baseline.call.guidance_scale_2"), "the variant inherits what it cannot use"
    assert mistakes(f'{text}[variants.v]\nmodel.pipeline = "CogVideoXPipeline"\n', "baseline") == [], "not audited"


def test_a_folder_names_its_class(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "CogVideoXPipeline"}')
    (found,) = mistakes(f"{HEAD}baseline.model.id = '{tmp_path.as_posix()}'\nbaseline.call.nope = 1\n")
    assert found.key == "baseline.call.nope"


@pytest.mark.parametrize(
    "foreign",
    [
        'baseline.env.diffusers = "0.36.0"',
        'baseline.load.custom_pipeline = "org/code"',
        'baseline.model.pipeline = "TheirPipeline"',
    ],
)
def test_nothing_is_said_of_names_that_another_code_may_take(foreign: str) -> None:
    assert mistakes(f"{BUILTIN}{foreign}\nbaseline.call.nope = 1\n") == []
