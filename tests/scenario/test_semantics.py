from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.errors import ScenarioError
from spacediff.plan import plan_scenario
from spacediff.scenario.scenario import parse_scenario

HERE = Path("/somewhere/audit.toml")


SCENARIO = """
title = "Small"
[prompts.lemon]
text = "a hand squeezes a lemon"
seed = 42
[prompts.cat]
text = "a cat"
seed = 42
parts = ["cat"]
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
[reference]
variant = "baseline"
[semantics]
model = "./clip"
parts = ["hand", "half a lemon"]
"""


def test_a_prompt_may_have_parts_of_its_own() -> None:
    plan = plan_scenario(parse_scenario(SCENARIO, HERE))
    assert plan.semantics
    assert plan.semantics.model == "/somewhere/clip"
    lemon, cat = (plan.semantics.texts(prompt) for prompt in plan.prompts)
    assert lemon == {
        "": "a hand squeezes a lemon", "hand": "a photo of hand", "half a lemon": "a photo of half a lemon"
    }  # fmt: skip
    assert cat == {"": "a cat", "cat": "a photo of cat"}
    without = SCENARIO.partition("[semantics]")[0].replace('parts = ["cat"]', "")
    assert plan_scenario(parse_scenario(without, HERE)).semantics is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"half a lemon"', '"hand"', "semantics.parts.1: found 'hand'; expected each part once"),
        (
            '["cat"]',
            '["prompt"]',
            "prompts.cat.parts.0: found 'prompt'; expected each part once, and none named prompt",
        ),
        ("[semantics]", "[semantic]", "prompts.cat.parts: found parts without [semantics]"),
        ('"./clip"', '"clip"', "semantics.model: found 'clip'; expected a CLIP checkpoint"),
        (
            '"./clip"',
            '"./clip"\ntemplate = "a photo"',
            "semantics.template: found 'a photo'; expected a text of up to 200",
        ),
        ('"./clip"', '"./clip"\ntrust_remote_code = true', "semantics.trust_remote_code: found the unknown key"),
        ('["cat"]', '"cat"', "prompts.cat.parts: found 'cat'; expected a list"),
    ],
)
def test_mistakes_have_a_place(old: str, new: str, message: str) -> None:
    assert SCENARIO.count(old) == 1
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(SCENARIO.replace(old, new), HERE)
    assert message in caught.value.message
