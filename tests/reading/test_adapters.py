"""LoRA weights, IP adapters and textual inversion: which are in force at the call, and how strongly."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.reading import Reading, read_text
from spacediff.why.differences import compare_sources

LOADED = """import torch
from diffusers import FluxPipeline
from huggingface_hub import hf_hub_download
from safetensors.torch import load_file
pipe = FluxPipeline.from_pretrained("org/flux")
"""
FAST = 'pipe.load_lora_weights("org/fast", weight_name="fast.safetensors", adapter_name="fast")\n'
TOY = 'pipe.load_lora_weights("org/toy", adapter_name="toy")\n'
BOTH = FAST + TOY
FUSED = "pipe.fuse_lora(lora_scale=0.5)\npipe.unload_lora_weights()\n"


def read(lines: str, call: str = 'pipe("a kite")') -> Reading:
    return read_text(f"{LOADED}{lines}\n{call}\n", "run.py")


def found(lines: str) -> dict[str, Any]:
    """Return the settings of the adapters."""
    settings = read(lines).settings
    return {path: settings.value(path) for path in settings if path.startswith(("lora.", "ip_adapter.", "textual"))}


def lora(lines: str) -> dict[str, Any]:
    """Return the settings of the only LoRA."""
    found = read(lines).settings.table("lora")
    assert len(found) <= 1
    return next(iter(found.values()), {})


UNNAMED = {"id": "org/fast", "weight_name": "fast.safetensors"}
FAST_ONE = UNNAMED
FUSED_ONE = {**FAST_ONE, "fused": True}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (FAST, FAST_ONE),
        (FAST + "pipe.set_adapters(['fast'], adapter_weights=[0.8])", {**FAST_ONE, "scale": 0.8}),
        (FAST + "pipe.set_adapters('fast', 0.8)", {**FAST_ONE, "scale": 0.8}),
        (FAST + "pipe.set_adapters(adapter_names='fast')", FAST_ONE),
        (FAST + "pipe.fuse_lora(lora_scale=3.0)", {**FAST_ONE, "scale": 3.0, "fused": True}),
        (FAST + "pipe.fuse_lora()\npipe.unload_lora_weights()", {**FAST_ONE, "fused": True, "unloaded": True}),
        (FAST + "pipe.set_adapters('fast', 0.7)\npipe.fuse_lora(lora_scale=0.9)", {**FUSED_ONE, "scale": 0.63}),
        (FAST + "pipe.fuse_lora()\npipe.unfuse_lora()", FAST_ONE),
        (FAST + "pipe.unload_lora_weights()", {}),
        (FAST + "pipe.disable_lora()", {}),
        (FAST + "pipe.disable_lora()\npipe.enable_lora()", FAST_ONE),
        (FAST + "pipe.delete_adapters('fast')", {}),
        (FAST + "pipe.transformer.set_adapters('fast', 0.5)", {**FAST_ONE, "scale": 0.5}),
        ("pipe.load_lora_weights(hf_hub_download('org/fast', 'fast.safetensors'))", UNNAMED),
        ("pipe.load_lora_weights(load_file(hf_hub_download('org/fast', 'fast.safetensors')))", UNNAMED),
    ],
)  # fmt: skip
def test_one_lora_is_described_as_it_acts_at_the_call(lines: str, expected: dict[str, Any]) -> None:
    assert lora(lines) == expected


@pytest.mark.parametrize(
    ("lines", "scales"),
    [
        (BOTH + "pipe.set_adapters(['fast', 'toy'], adapter_weights=[0.5, 0.7])", [0.5, 0.7]),
        (BOTH + "pipe.set_adapters(['fast', 'toy'], 0.6)", [0.6, 0.6]),
        (FAST + FUSED + TOY + "pipe.set_adapters('toy', 0.7)", [0.5, 0.7]),
    ],
)  # fmt: skip
def test_several_loras_have_names_an_order_and_a_scale_each(lines: str, scales: list[float]) -> None:
    found = read(lines).settings.table("lora")
    assert found["order"] == ["fast", "toy"]
    assert [found[name]["id"] for name in found["order"]] == ["org/fast", "org/toy"]
    assert [found[name]["scale"] for name in found["order"]] == scales


def test_one_that_is_fused_stays_when_the_next_one_gets_its_name() -> None:
    loop = 'for name in ("org/a", "org/b"):\n    pipe.load_lora_weights(name)\n    pipe.fuse_lora()\n'
    found = read(loop + "    pipe.unload_lora_weights()").settings.table("lora")
    assert [found[name]["id"] for name in found["order"]] == ["org/a", "org/b"]
    assert all(found[name]["unloaded"] for name in found["order"])
    active = read(FAST + FUSED + FAST.replace("org/fast", "org/slow")).settings.table("lora")
    assert active == {
        "fast": {**UNNAMED, "id": "org/slow"},
        "fast-fused": {**FUSED_ONE, "scale": 0.5, "unloaded": True},
        "order": ["fast-fused", "fast"],
    }


def test_unloading_what_is_fused_makes_no_difference_by_itself() -> None:
    fused = FAST + "pipe.fuse_lora(lora_scale=0.5)\n"
    assert compare_sources(read(fused), read(FAST + FUSED)).differences == []
    with_another = compare_sources(read(fused + TOY), read(FAST + FUSED + TOY))
    assert [row.path for row in with_another.differences] == ["lora.fast.unloaded"]


def test_names_of_several_loras_make_no_difference_and_their_order_a_small_one() -> None:
    first = BOTH + "pipe.set_adapters(['fast', 'toy'], [0.5, 0.7])"
    renamed = first.replace("'toy'", "'other'").replace('"toy"', '"other"')
    swapped = BOTH + "pipe.set_adapters(['toy', 'fast'], [0.7, 0.5])"
    scaled = BOTH + "pipe.set_adapters(['toy', 'fast'], [0.5, 0.7])"
    scales = ["lora.fast.scale", "lora.toy.scale"]
    for other, expected in ((renamed, []), (swapped, ["lora.order"]), (scaled, [*scales, "lora.order"])):
        found = compare_sources(read(first), read(other))
        assert [row.path for row in found.differences] == expected


def test_the_last_lora_that_is_loaded_is_active() -> None:
    assert lora(BOTH) == {"id": "org/toy"}
    assert lora(BOTH + "pipe.set_adapters('fast')") == FAST_ONE


def test_the_lora_of_the_usual_branch_is_active_and_the_other_an_alternative() -> None:
    reading = read_text(
        "import gradio as gr\n" + LOADED + BOTH + "def edit(prompt, view):\n"
        "    if view == 'Fast':\n        pipe.set_adapters(['fast'], adapter_weights=[1.0])\n"
        "    elif view == 'Toy':\n        pipe.set_adapters(['toy'], adapter_weights=[0.4])\n"
        "    return pipe(prompt=prompt).images[0]\n"
        "gr.Interface(edit, [gr.Textbox(), gr.Dropdown(['Fast', 'Toy'], value='Fast')], gr.Image()).launch()\n",
        "app.py",
    )
    assert reading.settings.value("lora.fast.id") == "org/fast"
    assert reading.settings.value("lora.fast.scale") == 1.0
    assert [one.setting.value for one in reading.alternatives["lora.toy.scale"]] == [None, 0.4]


def test_a_loop_over_loras_leaves_them_unknown() -> None:
    reading = read("for name in 'abcdefghi':\n    pipe.load_lora_weights(f'org/{name}', adapter_name=name)")
    assert "lora.adapters" in reading.unknowns
    assert not any(path.endswith(".id") for path in reading.settings if path.startswith("lora."))


def test_a_lora_that_is_named_by_something_unknown_is_unknown() -> None:
    reading = read(BOTH + "pipe.set_adapters(choose())")
    assert "lora.adapters" in reading.unknowns


def test_an_ip_adapter_and_its_scale_are_settings() -> None:
    lines = "pipe.load_ip_adapter('org/ip', subfolder='models', weight_name='ip.bin')\npipe.set_ip_adapter_scale(0.3)\n"
    assert found(lines) == {
        "ip_adapter.id": "org/ip",
        "ip_adapter.subfolder": "models",
        "ip_adapter.weight_name": "ip.bin",
        "ip_adapter.scale": 0.3,
    }
    assert found(lines + "pipe.unload_ip_adapter()") == {}


def test_textual_inversions_are_settings() -> None:
    one = "pipe.load_textual_inversion('org/cat', token='<cat>')\n"
    assert found(one) == {"textual_inversion.cat.id": "org/cat", "textual_inversion.cat.token": "<cat>"}
    both = one + "pipe.load_textual_inversion('org/dog', token='<dog>')"
    assert found(both)["textual_inversion.dog.id"] == "org/dog"


def test_a_change_of_adapters_that_is_not_understood_gets_a_note() -> None:
    reading = read("pipe.transformer.add_weighted_adapter(['a', 'b'], [0.5, 0.5], 'c')")
    assert [note.kind for note in reading.notes if note.kind == "LoRA"] == ["LoRA"]


def test_methods_of_a_pipeline_of_the_source_that_load_an_adapter_are_followed_by_their_name() -> None:
    lines = """
class FacePipeline(FluxPipeline):
    def load_ip_adapter_face(self, path, width=512):
        self.width = width
    def set_ip_adapter_scale(self, scale):
        for processor in self.transformer.attn_processors.values():
            processor.scale = scale
pipe = FacePipeline.from_pretrained("org/flux")
pipe.load_ip_adapter_face("face.bin")
pipe.set_ip_adapter_scale(0.8)
"""
    assert found(lines) == {"ip_adapter.id": "face.bin", "ip_adapter.scale": 0.8}


def test_a_factor_of_one_leaves_the_weight_where_it_is_written() -> None:
    setting = read(FAST + "pipe.set_adapters('fast', 0.8)\npipe.fuse_lora(lora_scale=1.0)").settings["lora.fast.scale"]
    assert (setting.value, setting.where) == (0.8, "run.py:7")
    assert lora(FAST + "pipe.set_adapters('fast', 1.0)\npipe.fuse_lora(lora_scale=1.0)")["scale"] == 1.0
