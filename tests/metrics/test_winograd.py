from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from spacediff.metrics.winograd import Image, Winograd


def drawn(*shape: int, seed: int) -> Image:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def expected(image: Image, weights: Image, bias: Image, padding: int) -> torch.Tensor:
    """The convolution by PyTorch in float64, without what is below 0, `[H, W, C]`."""
    channels_first = torch.from_numpy(image).permute(2, 0, 1).double()
    done = conv2d(channels_first, torch.from_numpy(weights).double(), torch.from_numpy(bias).double(), padding=padding)
    return done.relu().permute(1, 2, 0)


@pytest.mark.parametrize(("kernel", "padding"), [(3, 1), (5, 2), (3, 0), (5, 0)])
@pytest.mark.parametrize("size", [(5, 6), (9, 8), (16, 31), (70, 90)])
def test_values_equal_those_of_a_convolution(kernel: int, padding: int, size: tuple[int, int]) -> None:
    weights, bias, image = drawn(5, 7, kernel, kernel, seed=1), drawn(5, seed=2), drawn(*size, 7, seed=3)
    right = expected(image, weights, bias, padding)
    found = torch.from_numpy(Winograd(weights, bias, padding)(image))
    assert found.shape == right.shape
    assert (found - right).abs().max() < 2e-5 * right.abs().max()
    assert (found == 0).any()
    assert (found > 0).any()


def test_a_changed_weight_changes_the_values() -> None:
    weights, bias, image = drawn(5, 7, 3, 3, seed=1), drawn(5, seed=2), drawn(12, 12, 7, seed=3)
    before = Winograd(weights, bias, 1)(image)
    weights[4, 6, 2, 2] += 0.01
    assert np.abs(Winograd(weights, bias, 1)(image) - before)[..., 4].max() > 1e-3
