from __future__ import annotations

import pytest
import torch
from torch.nn.functional import conv2d

from spacediff.metrics.winograd import Winograd


def drawn(kernel: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(kernel)
    return torch.randn(5, 7, kernel, kernel, generator=random) / kernel, torch.randn(5, generator=random)


@pytest.mark.parametrize(("kernel", "padding"), [(3, 1), (5, 2), (3, 0), (5, 0)])
@pytest.mark.parametrize("size", [(5, 6), (9, 8), (16, 31), (70, 90)])
def test_values_equal_those_of_a_convolution(kernel: int, padding: int, size: tuple[int, int]) -> None:
    weights, bias = drawn(kernel)
    images = torch.randn(2, 7, *size)
    expected = conv2d(images.double(), weights.double(), bias.double(), padding=padding)
    found = Winograd(weights, bias, padding)(images)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 2e-5 * expected.abs().max()


def test_a_changed_weight_changes_the_values() -> None:
    weights, bias = drawn(3)
    images = torch.randn(1, 7, 12, 12)
    before = Winograd(weights, bias, 1)(images)
    weights[4, 6, 2, 2] += 0.01
    assert (Winograd(weights, bias, 1)(images) - before).abs()[:, 4].max() > 1e-3
