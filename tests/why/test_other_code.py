"""A pipeline whose call is not diffusers' is never taken for one of diffusers, whatever its name."""

from __future__ import annotations

import pytest

from spacediff.reading import read_text
from spacediff.why.compared import ComparedSettings
from spacediff.why.differences import compare_sources
from spacediff.why.headline import headline

REST = """
pipe = FluxPipeline.from_pretrained("org/flux", torch_dtype=torch.bfloat16).to("cuda")
pipe("a kite", num_inference_steps=9, generator=torch.Generator("cpu").manual_seed(1)).images[0].save("k.png")
"""
DIFFUSERS = f"import torch\nfrom diffusers import FluxPipeline\n{REST}"
FORK = f"import torch\nfrom forked import FluxPipeline\n{REST}"
OWN = f"""
import torch
from diffusers import FluxPipeline as Original
class FluxPipeline(Original):
    def __call__(self, prompt, num_inference_steps=28, **rest):
        return super().__call__(prompt, num_inference_steps=2 * num_inference_steps, **rest)
{REST}"""


def compared(script: str, space: str) -> ComparedSettings:
    return compare_sources(read_text(script, "run.py"), read_text(space, "app.py"))


@pytest.mark.parametrize(("script", "space"), [(FORK, DIFFUSERS), (DIFFUSERS, FORK), (OWN, DIFFUSERS), (FORK, OWN)])
def test_a_namesake_is_not_acquitted_and_not_accused_by_defaults_of_diffusers(script: str, space: str) -> None:
    found = compared(script, space)
    assert "pipeline of other code" in {effect.kind for effect in found.effects}
    assert not headline(found).startswith("No difference")
    assert found.differences == []


def test_two_sides_with_the_call_of_diffusers_are_of_the_same_code() -> None:
    found = compared(DIFFUSERS, DIFFUSERS)
    assert found.effects == []
    assert headline(found).startswith("No difference")
