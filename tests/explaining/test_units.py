"""An adapter or component that one end lacks is one suspect."""

from __future__ import annotations

from typing import Any

from spacediff.explaining.units import changed_to, differing, without
from spacediff.settings import Origin, Settings, diff


def settings(**tables: Any) -> Settings:
    return Settings.of(tables, Origin.DECLARED, "s.toml:3")


STYLE = {"style": {"id": "org/style", "scale": 0.8}}
FAST = {"fast": {"id": "org/fast", "scale": 0.5, "fused": True}}


def test_an_added_adapter_is_one_suspect_and_is_added_as_a_whole() -> None:
    left, right = settings(lora=STYLE), settings(lora={**STYLE, **FAST, "order": ["style", "fast"]})
    found = {each.path: each for each in differing(left, right)}
    assert found.keys() == {"lora.fast", "lora.order"}
    assert found["lora.fast"].right
    assert found["lora.fast"].right.value == FAST["fast"]
    changes = changed_to(found, frozenset({"lora.fast"}))
    assert changes == settings(lora=FAST)
    assert diff(left.changed_by(changed_to(found, frozenset(found))), right) == []


def test_a_removed_adapter_is_one_suspect_in_both_ways_of_saying_it() -> None:
    left = settings(lora={**STYLE, **FAST})
    for right in (settings(lora={**STYLE, "fast": "none"}), settings(lora=STYLE)):
        found = {each.path: each for each in differing(left, right)}
        assert found.keys() == {"lora.fast"}
        gone = frozenset(path for path, each in found.items() if each.right is None)
        assert diff(without(left, gone).changed_by(changed_to(found, frozenset(found))), right) == []


def test_what_differs_in_an_adapter_of_both_ends_is_a_suspect_by_itself() -> None:
    left = settings(lora=STYLE, components={"vae": {"dtype": "float32"}}, ip_adapter={"id": "org/ip", "scale": 1.0})
    right = settings(lora={"style": {"id": "org/style", "scale": 0.4}}, call={"steps": 3})
    paths = {each.path for each in differing(left, right)}
    assert paths == {"lora.style.scale", "components.vae.dtype", "ip_adapter", "call.steps"}


def test_quantisation_that_one_end_lacks_is_one_suspect() -> None:
    four_bits = {"backend": "bitsandbytes_4bit", "bnb_4bit_quant_type": "nf4"}
    left = settings(components={"unet": {"dtype": "float32", "quantization": four_bits}})
    right = settings(components={"unet": {"dtype": "float16", "quantization": "none"}})
    for one, other in ((left, right), (right, left)):
        found = {each.path: each for each in differing(one, other)}
        assert found.keys() == {"components.unet.quantization", "components.unet.dtype"}
        assert one.changed_by(changed_to(found, frozenset(found))) == other
        assert found["components.unet.quantization"].left


def test_a_component_that_is_the_pipelines_own_at_one_end_is_one_suspect() -> None:
    left = settings(components={"unet": {"file": "./x.safetensors", "class": "UNet2DConditionModel"}})
    right = settings(components={"unet": "own"})
    for one, other in ((left, right), (right, left)):
        found = {each.path: each for each in differing(one, other)}
        assert found.keys() == {"components.unet"}
        assert one.changed_by(changed_to(found, frozenset(found))) == other
