"""Pipelines that are loaded in other ways than by their own class, compared with plain scripts of diffusers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch

from spacediff.clip import Clip
from spacediff.errors import UnsupportedSetting
from spacediff.settings import Origin, Settings, diff
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from support.listeners import RememberingListener
from support.tiny_pipelines import checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:::")]
"""The libraries warn of older names of their own."""

PROMPT = "a red cone"
CALL = {"num_inference_steps": 2, "height": 64, "width": 64}


@pytest.fixture(scope="module")
def source() -> LocalSource:
    return LocalSource()


def generate(source: LocalSource, name: str, pipeline: str | None = None, **tables: Any) -> Produced:
    model = {"id": str(checkpoint(name)), "dtype": "float32", **({"pipeline": pipeline} if pipeline else {})}
    call = {**CALL, **tables.pop("call", {})}
    declared = Settings.of({"model": model, "placement": "cpu", **tables, "call": call}, Origin.DECLARED, "test")
    return source.generate(declared, PROMPT, 42, RememberingListener())


def as_script(load: Callable[[Any], Any], **call: Any) -> Clip:
    """Generate the picture with a plain script."""
    import diffusers

    pipe = load(diffusers)
    pipe.set_progress_bar_config(disable=True)
    output = pipe(prompt=PROMPT, generator=torch.Generator().manual_seed(42), output_type="np", **CALL, **call)
    return Clip.from_floats(output.images, Fraction(8), rounding="round")


def test_an_auto_pipeline_loads_the_class_for_its_task(source: LocalSource) -> None:
    def load(diffusers: Any) -> Any:
        return diffusers.AutoPipelineForText2Image.from_pretrained(checkpoint("sd-1.5"), dtype=torch.float32)

    ours = generate(source, "sd-1.5", "AutoPipelineForText2Image")
    assert ours.clip.digest == as_script(load).digest
    assert ours.settings["model.pipeline"].value == "StableDiffusionPipeline"


def test_a_modular_pipeline_is_loaded_with_its_components(source: LocalSource) -> None:
    def load(diffusers: Any) -> Any:
        pipe = diffusers.ModularPipeline.from_pretrained(str(checkpoint("z-image-modular")))
        pipe.load_components(dtype=torch.float32)
        return pipe

    ours = generate(source, "z-image-modular", "ModularPipeline")
    assert ours.clip.digest == as_script(load).digest
    assert ours.trace is not None
    assert len(ours.trace.steps) == CALL["num_inference_steps"]
    other = generate(source, "z-image-modular", "ModularPipeline", vae={"dtype": "bfloat16"})
    assert [each.path for each in diff(ours.settings, other.settings)] == ["vae.dtype"]
    assert other.clip.digest != ours.clip.digest


def test_an_argument_that_no_block_of_a_modular_pipeline_reads_is_refused(source: LocalSource) -> None:
    with pytest.raises(UnsupportedSetting, match="takes no argument 'guidance_scal'"):
        generate(source, "z-image-modular", "ModularPipeline", call={"guidance_scal": 3.0})


def test_an_argument_that_a_call_takes_and_drops_is_refused(source: LocalSource) -> None:
    with pytest.raises(UnsupportedSetting, match="guidnce_scale has no effect") as caught:
        generate(source, "sd-1.5-checked", call={"guidnce_scale": 3.0})
    assert "did you mean guidance_scale?" in caught.value.message


def test_a_safety_checker_is_left_out_in_either_way(source: LocalSource) -> None:
    def load(diffusers: Any) -> Any:
        return diffusers.StableDiffusionPipeline.from_pretrained(checkpoint("sd-1.5-checked"), safety_checker=None)

    black, without = generate(source, "sd-1.5-checked"), as_script(load).digest
    assert black.clip.digest != without
    for tables in ({"components": {"safety_checker": "none"}}, {"load": {"safety_checker": None}}):
        assert generate(source, "sd-1.5-checked", **tables).clip.digest == without


def test_the_sizes_of_sdxl_are_given_as_tuples(source: LocalSource) -> None:
    def load(diffusers: Any) -> Any:
        return diffusers.StableDiffusionXLPipeline.from_pretrained(checkpoint("sdxl"), dtype=torch.float32)

    ours = generate(source, "sdxl", call={"original_size": [32, 32]})
    assert ours.clip.digest == as_script(load, original_size=(32, 32)).digest


def test_a_class_that_is_not_installed_is_refused_by_name(source: LocalSource) -> None:
    with pytest.raises(UnsupportedSetting, match="no pipeline class 'FluxxPipeline'; did you mean 'FluxPipeline'"):
        generate(source, "sd-1.5", "FluxxPipeline")
