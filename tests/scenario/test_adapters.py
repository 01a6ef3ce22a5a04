"""Adapters in a scenario: listed or by name, changed and removed by variants, in one order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spacediff.errors import ScenarioError
from spacediff.scenario.adapters import in_order
from spacediff.scenario.scenario import Scenario, parse_scenario

HEAD = """title = "Adapters"
[prompts.kite]
text = "a kite"
seed = 1
[reference]
variant = "weaker"
[variants.weaker]
lora.style.scale = 0.5
[baseline]
model.id = "org/model"
"""
BOTH = """[[baseline.lora]]
name = "style"
id = "./style.safetensors"
scale = 0.8
[[baseline.lora]]
name = "fast"
id = "org/fast"
weight_name = "fast.safetensors"
fused = true
"""


def scenario(text: str) -> Scenario:
    return parse_scenario(HEAD + text, Path("/folder/s.toml"))


def loras(text: str, name: str = "baseline") -> dict[str, Any]:
    return scenario(text).settings_of(name).table("lora")


def mistakes(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as found:
        scenario(text)
    return [str(mistake) for mistake in found.value.mistakes]


def test_a_list_of_loras_is_held_by_name_and_in_its_order() -> None:
    found = loras(BOTH)
    assert found["style"] == {"id": "/folder/style.safetensors", "scale": 0.8}
    assert found["fast"] == {"id": "org/fast", "weight_name": "fast.safetensors", "fused": True}
    assert found["order"] == ["style", "fast"]
    assert scenario(BOTH).settings_of("baseline")["lora.fast.id"].where == "s.toml:17"


def test_a_variant_changes_one_scale_alone() -> None:
    whole = scenario(BOTH)
    assert {*whole.changes_of("weaker")} == {"lora.style.scale"}
    assert whole.settings_of("weaker").value("lora.style.scale") == 0.5
    assert in_order(whole.settings_of("weaker")) == ["style", "fast"]


def test_a_scale_may_be_a_table_that_replaces_a_number() -> None:
    found = loras(BOTH + "[variants.blocks]\nlora.style.scale = { unet = { down = 0.3, up = [0.1, 0.2] } }", "blocks")
    assert found["style"]["scale"] == {"unet": {"down": 0.3, "up": [0.1, 0.2]}}


def test_a_variant_removes_one_and_adds_another_at_the_end() -> None:
    text = BOTH + '[variants.x]\nlora.style = "none"\n[variants.y]\nlora = [{ name = "a", id = "org/a" }]'
    whole = scenario(text)
    assert whole.settings_of("x").value("lora.style") == "none"
    assert "lora.style.id" not in whole.settings_of("x")
    assert in_order(whole.settings_of("x")) == ["fast"]
    assert in_order(whole.settings_of("y")) == ["style", "fast", "a"]


def test_a_variant_that_lists_all_has_its_own_order() -> None:
    text = BOTH + '[variants.x]\nlora = [{ name = "fast" }, { name = "style" }]'
    assert in_order(scenario(text).settings_of("x")) == ["fast", "style"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[[baseline.lora]]\nid = "org/a"', "line 11: baseline.lora.0: found an adapter without name"),
        (
            BOTH + '[[baseline.lora]]\nname = "fast"\nid = "org/a"',
            "lora.2.name: found 'fast'; expected a name",
        ),
        ('[[baseline.lora]]\nname = ["style"]\nid = "org/a"', "lora.0.name: found a list; expected a name"),
        ('[[baseline.lora]]\nname = "order"\nid = "org/a"', "expected another name"),
        ('[[baseline.lora]]\nname = "style"', "line 11: baseline.lora.style: found no id for 'style'"),
        (BOTH.replace("fast.safetensors", "fast.bin"), "reads no pickled weights"),
        (BOTH.replace("org/fast", "./fast.ckpt"), "reads no pickled weights"),
        (BOTH.replace("0.8", "true"), "line 14: baseline.lora.style.scale: found true; expected a number"),
        (BOTH.replace("fused", "fusd"), "unknown key 'fusd'"),
        (BOTH.replace("fused = true", "fused = false\nunloaded = true"), "found unloaded without fused"),
        (BOTH + "[variants.x]\nlora.stile.scale = 1", "variants.x.lora.stile: found no id for 'stile'"),
        (BOTH + "[variants.x]\nip_adapter.scale = 1", "variants.x.ip_adapter: found no id"),
        (BOTH + "[variants.x.textual_inversion.cat]\ntoken = '<cat>'", "found no id for 'cat'"),
        (BOTH + '[variants.x]\nlora."a b".id = "org/a"', "expected a name of up to 64 letters"),
    ],
)
def test_a_mistake_in_an_adapter_has_its_line_and_key(text: str, expected: str) -> None:
    assert any(expected in mistake for mistake in mistakes(text))


def test_textual_inversions_and_the_ip_adapter_are_tables() -> None:
    text = (
        BOTH
        + """[baseline.textual_inversion.cat]
id = "org/cat"
token = "<cat>"
[baseline.ip_adapter]
id = "org/ip"
subfolder = "models"
weight_name = "ip.safetensors"
scale = 0.6
[variants.x]
ip_adapter = "none"
textual_inversion.cat = "none"
"""
    )
    found = scenario(text).settings_of("baseline")
    assert found.table("textual_inversion") == {"cat": {"id": "org/cat", "token": "<cat>"}}
    assert found.value("ip_adapter.scale") == 0.6
    without = scenario(text).settings_of("x")
    assert without.value("ip_adapter") == without.value("textual_inversion.cat") == "none"
