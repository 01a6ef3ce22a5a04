"""Sketches estimate distances, and are the same numbers on every machine."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from spacediff.observer.sketch import BINS, RELATIVE_DEVIATION, distance, sketch

FIRST = (256.0, 0.0, 260.0, 780.0)
"""Other numbers would make recordings of two versions incomparable."""


@pytest.mark.parametrize("shape", [(1, 13, 16, 60, 90), (2, 4, 8, 8), (3,)])
@pytest.mark.parametrize("size", [1e-3, 1.0])
def test_a_distance_is_estimated(shape: tuple[int, ...], size: float) -> None:
    random = np.random.default_rng(0)
    one = random.standard_normal(shape, np.float32)
    other = one + size * random.standard_normal(shape, np.float32)
    exact = float(np.linalg.norm(other - one))
    found = distance(sketch(one), sketch(other))
    assert found == pytest.approx(exact, rel=4 * RELATIVE_DEVIATION)


def test_a_difference_in_one_place_or_of_one_sign_is_estimated_too() -> None:
    one = np.zeros((16, 60, 90), np.float32)
    other = one + 0.5
    assert distance(sketch(one), sketch(other)) == pytest.approx(0.5 * math.sqrt(one.size), rel=4 * RELATIVE_DEVIATION)
    other = one.copy()
    other[3, 7, 5] = 2
    assert distance(sketch(one), sketch(other)) == pytest.approx(2)


def test_the_spread_of_the_estimate_is_the_stated_one() -> None:
    random = np.random.default_rng(1)
    ratios = []
    for _ in range(200):
        difference = random.standard_normal(5000, np.float32)
        found = distance(sketch(difference), sketch(np.zeros_like(difference)))
        assert found is not None
        ratios.append(found / float(np.linalg.norm(difference)))
    assert np.mean(ratios) == pytest.approx(1, abs=0.02)
    assert np.std(ratios) == pytest.approx(RELATIVE_DEVIATION, rel=0.2)


def test_the_numbers_are_the_same_everywhere() -> None:
    found = sketch(np.arange(4 * BINS, dtype=np.float32))
    assert len(found) == BINS
    assert found[:4] == FIRST


def test_a_tensor_of_any_dtype_is_sketched_and_equal_ones_have_no_distance() -> None:
    tensor = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)).bfloat16()
    assert sketch(tensor) == sketch(tensor.float().numpy())
    assert distance(sketch(tensor), sketch(tensor.clone())) == 0


def test_what_is_not_finite_or_of_another_shape_has_no_distance() -> None:
    assert sketch(torch.tensor([1.0, math.nan])) == ()
    assert distance((), sketch(np.ones(3, np.float32))) is None


def test_a_large_tensor_is_sketched_as_its_parts_are() -> None:
    whole = np.random.default_rng(2).standard_normal(100_003).astype(np.float32)
    start, rest = whole.copy(), whole.copy()
    start[70_000:], rest[:70_000] = 0, 0
    assert sketch(whole) == pytest.approx(np.add(sketch(start), sketch(rest)), abs=1e-3)
