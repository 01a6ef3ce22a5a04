"""Numbers that describe a tensor: those of chunks are those of the whole."""

from __future__ import annotations

import math

import pytest
import torch

from spacediff.observer.tensors import statistics


def test_the_statistics_of_a_large_tensor_are_those_of_its_finite_values() -> None:
    tensor = torch.randn(3, 50_021, generator=torch.Generator().manual_seed(0))
    finite = tensor.double().flatten()
    mean, std, norm, nonfinite = statistics(tensor)
    assert (mean, std, norm) == pytest.approx(
        (float(finite.mean()), float(finite.std(unbiased=False)), float(finite.norm())), rel=1e-9
    )
    assert nonfinite == 0
    tensor[2, -1], tensor[0, 3], tensor[1, 7] = math.nan, math.inf, -math.inf
    finite = tensor[torch.isfinite(tensor)].double()
    mean, std, norm, nonfinite = statistics(tensor)
    assert (mean, std, norm) == pytest.approx(
        (float(finite.mean()), float(finite.std(unbiased=False)), float(finite.norm())), rel=1e-9
    )
    assert nonfinite == 3


def test_a_tensor_without_finite_values_has_none() -> None:
    assert statistics(torch.full((2, 3), math.nan)) == (0.0, 0.0, 0.0, 6)
