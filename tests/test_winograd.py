from __future__ import annotations

import pytest
import torch

from harness.metrics.winograd import Winograd


def convolution(kernel: int, *, padding: int, bias: bool = True) -> torch.nn.Conv2d:
    torch.manual_seed(kernel)
    return torch.nn.Conv2d(7, 5, kernel, padding=padding, bias=bias).requires_grad_(requires_grad=False)


@pytest.mark.parametrize(("kernel", "padding"), [(3, 1), (5, 2), (3, 0), (5, 0)])
@pytest.mark.parametrize("size", [(5, 6), (9, 8), (16, 31), (70, 90)])
def test_values_are_those_of_the_convolution(kernel: int, padding: int, size: tuple[int, int]) -> None:
    direct = convolution(kernel, padding=padding)
    images = torch.randn(2, 7, *size)
    short = Winograd(direct)(images)
    torch.testing.assert_close(short.double(), direct.double()(images.double()), rtol=0, atol=5e-5)  # values reach 3


def test_a_convolution_without_bias() -> None:
    direct = convolution(3, padding=1, bias=False)
    images = torch.randn(1, 7, 12, 12)
    torch.testing.assert_close(Winograd(direct)(images), direct(images), rtol=0, atol=1e-5)


def test_another_weight_gives_other_values() -> None:
    direct = convolution(3, padding=1)
    images = torch.randn(1, 7, 12, 12)
    before = Winograd(direct)(images)
    direct.weight[4, 6, 2, 2] += 0.01
    assert (Winograd(direct)(images) - before).abs()[:, 4].max() > 1e-3
