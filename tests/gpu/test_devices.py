"""What an accelerator changes in the numbers and what it does not; `make gpu` shows the figures."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from spacediff.errors import UnsupportedSetting
from spacediff.sources import Produced
from support.accelerator_models import DEVICE, Model, large_model, on_an_accelerator, tiny_model

pytestmark = on_an_accelerator
needs_cuda = pytest.mark.skipif(DEVICE != "cuda", reason="a switch or a kernel of CUDA")


@pytest.fixture(scope="module", params=[tiny_model, pytest.param(large_model, marks=pytest.mark.slow)])
def model(request: pytest.FixtureRequest) -> Model:
    made: Model = request.param()
    return made


@pytest.fixture(scope="module")
def resident(model: Model) -> Produced:
    return model.generated()


def distances(one: Produced, other: Produced) -> list[float]:
    """Relative distance of the latents, before the first step and after each."""
    return [
        float((a.double() - b.double()).norm() / b.double().norm())
        for a, b in zip(other.latents, one.latents, strict=True)
    ]


def report(model: Model, what: str, one: Produced, other: Produced) -> None:
    """Print how far a clip is from the first."""
    apart = distances(one, other)
    levels = np.abs(np.asarray(one.clip.frames, int) - other.clip.frames).mean()
    print(  # noqa: T201 - shown by -rP
        f"{model.name}: {what}: latents {apart[1]:.2e} after step 1, {apart[-1]:.2e} at the end; {levels:.3f} levels"
    )


def test_a_rerun_is_the_same_to_the_last_bit(model: Model, resident: Produced) -> None:
    again = model.generated()
    report(model, "re-run", resident, again)
    assert again.clip.digest == resident.clip.digest


@pytest.mark.parametrize("placement", ["model_cpu_offload", "sequential_cpu_offload", "group_offload"])
def test_offloading_changes_no_bit(model: Model, resident: Produced, placement: str) -> None:
    offloaded = model.generated(placement=placement)
    report(model, placement, resident, offloaded)
    assert offloaded.clip.digest == resident.clip.digest


def test_a_generator_of_the_device_draws_unrelated_noise_repeatably(model: Model, resident: Produced) -> None:
    drawn_there, again = (model.generated(rng={"device": DEVICE}) for _ in range(2))
    report(model, f"{DEVICE} generator", resident, drawn_there)
    assert again.clip.digest == drawn_there.clip.digest
    assert resident.trace
    assert drawn_there.trace
    assert resident.trace.noise
    assert drawn_there.trace.noise
    assert (resident.trace.noise.device, drawn_there.trace.noise.device) == ("cpu", DEVICE)
    ours, theirs = (each.latents[0].double().flatten() for each in (resident, drawn_there))
    correlation = float(torch.corrcoef(torch.stack([ours, theirs]))[0, 1])
    assert abs(correlation) < 5 / len(ours) ** 0.5, "five standard errors of unrelated samples"


def generated_or_refused(model: Model, kernel: str) -> Produced | str:
    """The clip of an attention kernel, or why a module cannot use it."""
    try:
        return model.generated(numerics={"attention": kernel})
    except UnsupportedSetting as error:
        return error.message


@needs_cuda
@pytest.mark.parametrize("kernel", ["math", "flash", "efficient", "cudnn"])
def test_an_attention_kernel_starts_from_the_same_noise_or_names_the_module(
    model: Model, resident: Produced, kernel: str
) -> None:
    if model.name == "5b" and kernel == "math":
        pytest.skip("the score matrix of 17,776 tokens does not fit")
    found = generated_or_refused(model, kernel)
    if isinstance(found, str):
        print(f"{model.name}: {found}")  # noqa: T201 - shown by -rP
        assert kernel != "math", "it takes any mask and head size"
        assert re.match(rf"numerics\.attention = '{kernel}' cannot be used by [\w.]+ \(\w+\): ", found)
    else:
        report(model, f"attention {kernel}", resident, found)
        assert distances(resident, found)[0] == 0


@needs_cuda
def test_tf32_changes_float32_and_only_that(model: Model) -> None:
    if model.name == "5b":
        pytest.skip("the 5b architecture is run in bfloat16")
    exact, rough = (model.generated("float32", numerics={"tf32": on}) for on in (False, True))
    report(model, "TF32", exact, rough)
    assert exact.clip.digest != rough.clip.digest
    half: list[Any] = [model.generated(numerics={"tf32": on}).clip.digest for on in (False, True)]
    assert half[0] == half[1]


@pytest.mark.filterwarnings("ignore:.*`torch_dtype` is deprecated:FutureWarning")  # older versions know no other name
def test_observing_changes_no_bit(model: Model, resident: Produced) -> None:
    """The clip of the source, observed, is that of the pipeline called plainly."""
    if model.name == "5b":
        pytest.skip("shown at tiny size")
    from diffusers import CogVideoXPipeline

    from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint

    pipe = CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM), torch_dtype=torch.bfloat16).to(DEVICE)
    generator = torch.Generator().manual_seed(42)
    frames = pipe("A hand squeezes half a lemon", generator=generator, output_type="np", **model.call).frames[0]
    assert np.array_equal(np.rint(frames * 255).astype(np.uint8), resident.clip.frames)
