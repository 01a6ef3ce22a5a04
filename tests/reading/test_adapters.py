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
    return {path.removeprefix("lora."): value for path, value in found(lines).items()}


UNNAMED = {"id": "org/fast", "weight_name": "fast.safetensors"}
FAST_ONE = {**UNNAMED, "adapter_name": "fast"}
FUSED_ONE = {**FAST_ONE, "fused": True}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (FAST, FAST_ONE),
        (FAST + "pipe.set_adapters(['fast'], adapter_weights=[0.8])", {**FAST_ONE, "scale": 0.8}),
        (FAST + "pipe.set_adapters('fast', 0.8)", {**FAST_ONE, "scale": 0.8}),
        (FAST + "pipe.set_adapters(adapter_names='fast')", FAST_ONE),
        (FAST + "pipe.fuse_lora(lora_scale=3.0)", {**FAST_ONE, "scale": 3.0, "fused": True}),
        (FAST + "pipe.fuse_lora()\npipe.unload_lora_weights()", {**FAST_ONE, "fused": True}),
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
def test_several_loras_are_a_list_with_the_scale_of_each(lines: str, scales: list[float]) -> None:
    (path,) = found(lines)
    assert path == "lora.adapters"
    each = found(lines)[path]
    assert [one["id"] for one in each] == ["org/fast", "org/toy"]
    assert [one["scale"] for one in each] == scales


def test_names_and_order_of_several_loras_make_no_difference() -> None:
    first = BOTH + "pipe.set_adapters(['fast', 'toy'], [0.5, 0.7])"
    renamed = first.replace("'toy'", "'other'").replace('"toy"', '"other"')
    swapped = BOTH + "pipe.set_adapters(['toy', 'fast'], [0.7, 0.5])"
    scaled = BOTH + "pipe.set_adapters(['toy', 'fast'], [0.5, 0.7])"
    for other, differs in ((renamed, False), (swapped, False), (scaled, True)):
        found = compare_sources(read(first), read(other))
        assert [row.path for row in found.differences] == (["lora.adapters"] if differs else [])


def test_the_last_lora_that_is_loaded_is_active() -> None:
    assert lora(BOTH) == {"id": "org/toy", "adapter_name": "toy"}
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
    assert reading.settings.value("lora.id") == "org/fast"
    assert reading.settings.value("lora.scale") == 1.0
    assert {one.setting.value for one in reading.alternatives["lora.scale"]} == {1.0, None, 0.4}


def test_a_loop_over_loras_leaves_them_unknown() -> None:
    reading = read("for name in 'abcdefghi':\n    pipe.load_lora_weights(f'org/{name}', adapter_name=name)")
    assert "lora.adapters" in reading.unknowns
    assert "lora.id" not in reading.settings


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
    assert found(one) == {"textual_inversion.id": "org/cat", "textual_inversion.token": "<cat>"}
    both = one + "pipe.load_textual_inversion('org/dog', token='<dog>')"
    assert found(both)["textual_inversion.id"] == ["org/cat", "org/dog"]


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
