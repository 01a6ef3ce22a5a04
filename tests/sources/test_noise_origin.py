"""Whose noise it is: planted noises are named with their seed and their way of drawing, and no other is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from spacediff.observer.sketch import sketch
from spacediff.observer.tensors import digest, extremes, first_values, statistics
from spacediff.record import FactKind, NoiseRecord
from spacediff.sources.local.noise import randn_as_older_torch
from spacediff.sources.local.noise_origin import origin_of
from spacediff.sources.local.philox import randn_of_cuda
from spacediff.wording import sentence

SHAPE = (1, 4, 3, 6, 10)
WEB_UI = [[-0.92466259, -0.42534415, -2.6438457, 0.14518388],
          [-0.12086647, -0.57972564, -0.62285122, -0.32838709],
          [-1.07454231, -0.36314407, -1.67105067, 2.26550497]]  # fmt: skip
"""`torch.randn((3, 4), device="cuda")` with seed 0, as modules/rng_philox.py of AUTOMATIC1111's web UI gives it."""


def noise(tensor: torch.Tensor, **values: Any) -> NoiseRecord:
    mean, std, _, _ = statistics(tensor)
    low, high = extremes(tensor)
    known = {"device": "cpu", "drawn": True, "sketch": sketch(tensor), "head": first_values(tensor)} | values
    dtype = str(tensor.dtype).removeprefix("torch.")
    return NoiseRecord(
        digest=digest(tensor), mean=mean, std=std, low=low, high=high, shape=[*tensor.shape], dtype=dtype, **known
    )


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def found(record: NoiseRecord, seed: int | None = 42) -> dict[str, Any]:
    origin = origin_of(record, seed)
    assert origin is not None
    plain = {"device": "cpu", "dtype": "float32", "older": False, "arrangement": "whole", "draw": 1, "exact": True}
    return {name: value for name, value in origin.values.items() if plain.get(name) != value}


def test_the_noise_of_cuda_is_that_of_another_implementation() -> None:
    assert np.allclose(randn_of_cuda((3, 4), 0, blocks=1), WEB_UI, atol=1e-5)


def test_a_gpu_draws_a_large_tensor_in_turns_of_its_threads() -> None:
    threads = 160 * 256
    small, large = randn_of_cuda((threads,), 3, blocks=160), randn_of_cuda((5 * threads,), 3, blocks=160)
    assert np.array_equal(large[:threads], small)
    assert np.array_equal(large[4 * threads :], randn_of_cuda((threads,), 3, blocks=160, draw=2))
    assert abs(float(np.corrcoef(large[:threads], large[threads : 2 * threads])[0, 1])) < 0.03
    assert not np.array_equal(large, randn_of_cuda((5 * threads,), 3, blocks=864))
    assert large.std() == pytest.approx(1, abs=0.01)


def test_the_declared_and_the_usual_seeds_are_found() -> None:
    plain = torch.randn(SHAPE, generator=seeded(987))
    assert found(noise(plain), 987) == {"seed": 987}
    assert found(noise(plain), 988) == {"seed": 987}, "the neighbour of the declared one"
    assert found(noise(torch.randn(SHAPE, generator=seeded(1234))), None) == {"seed": 1234}
    assert found(noise(torch.randn(SHAPE, generator=seeded(42)).bfloat16())) == {"seed": 42}


def test_how_it_was_drawn_is_found() -> None:
    assert found(noise(randn_as_older_torch(SHAPE, torch.bfloat16, seeded(42)))) == {
        "seed": 42, "dtype": "bfloat16", "older": True
    }  # fmt: skip
    generator = seeded(42)
    third = [torch.randn(SHAPE, generator=generator) for _ in range(3)][-1]
    assert found(noise(third)) == {"seed": 42, "draw": 3}
    swapped = torch.randn((1, 3, 4, 6, 10), generator=seeded(42)).transpose(1, 2)
    assert found(noise(swapped)) == {"seed": 42, "arrangement": "swapped"}
    items = torch.cat([torch.randn((1, 4, 6, 10), generator=seeded(seed)) for seed in (42, 43, 44)])
    assert found(noise(items)) == {"seed": 42, "arrangement": "items"}


@pytest.mark.parametrize("blocks", [160, 864])
def test_noise_of_a_gpu_is_found_up_to_rounding(blocks: int) -> None:
    drawn = torch.from_numpy(randn_of_cuda((1, 16, 4, 60, 90), 7, blocks=blocks, draw=2))
    record = noise((drawn * (1 + 1e-6)).bfloat16(), device="cuda")
    assert found(record, 7)["device"] == "cuda"
    assert found(record, 7)["draw"] == 2


def test_a_usual_seed_of_a_gpu_is_found_where_another_is_declared() -> None:
    drawn = torch.from_numpy(randn_of_cuda((1, 13, 16, 60, 90), 42, blocks=864))
    assert found(noise(drawn.bfloat16(), device="cuda"), 987)["seed"] == 42


def test_noise_that_was_given_is_found_in_the_scaling_of_a_scheduler() -> None:
    given = 14.6 * torch.randn(SHAPE, generator=seeded(0))
    record = noise(given, drawn=False)
    assert found(record) == {"seed": 0, "exact": False}
    text = "The initial noise is that of seed 0, drawn on the CPU in float32, the first draw, up to rounding."
    assert sentence(origin_of(record, None)) == text  # type: ignore[arg-type]


def test_nothing_is_claimed_of_other_noise() -> None:
    assert origin_of(noise(torch.randn(SHAPE, generator=seeded(987654))), 42) is None
    halfway = torch.randn(SHAPE, generator=seeded(42)) + 0.5 * torch.randn(SHAPE, generator=seeded(43))
    assert origin_of(noise(halfway), 42) is None


@pytest.mark.parametrize(
    "values",
    [{"shape": [-1, -1]}, {"shape": [10**6, 10**6]}, {"shape": []}, {"dtype": "load"}, {"sketch": [1.0]}],
)
def test_numbers_of_a_stranger_are_not_believed(values: dict[str, Any]) -> None:
    record = noise(torch.randn(SHAPE, generator=seeded(987654))).model_copy(update=values)
    origin = origin_of(record, 10**40)
    assert origin is None or origin.kind is FactKind.NOISE_NOT_TRIED


@pytest.mark.parametrize(
    "changed", [{"device": "mps"}, {"dtype": "float64"}, {"shape": [134_000_000]}, {"shape": []}], ids=str
)
def test_a_noise_for_which_nothing_can_be_tried_is_said_to_be_untried(changed: dict[str, Any]) -> None:
    origin = origin_of(noise(torch.randn(SHAPE, generator=seeded(42))).model_copy(update=changed), 42)
    assert origin is not None
    assert sentence(origin).startswith("No seed was tried for the initial noise")
