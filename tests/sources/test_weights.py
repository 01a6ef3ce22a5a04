"""The weights of a run: a module that goes back to the CPU takes the loaded ones, if it would have the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from spacediff.sources.local.weights import keep_host_weights


class Tied(torch.nn.Module):
    scale: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.one = torch.nn.Linear(3, 3, bias=False, dtype=torch.float16)
        self.other = torch.nn.Linear(3, 3, bias=False)
        self.other.weight = self.one.weight
        self.register_buffer("scale", torch.ones(2, dtype=torch.float32))


class Pipeline:
    def __init__(self, module: torch.nn.Module) -> None:
        self.components: dict[str, Any] = {"vae": module, "transformer_2": None}


@pytest.fixture
def module() -> Tied:
    made = Tied()
    keep_host_weights(Pipeline(made))
    return made


def storages(module: Tied) -> list[int]:
    return [each.data_ptr() for each in (module.one.weight, module.other.weight, module.scale)]


def test_the_loaded_weights_are_taken_again_and_tied_ones_stay_tied(module: Tied) -> None:
    before = storages(module)
    module.one.weight.data = module.one.weight.data.clone()
    module.scale = module.scale.clone()
    module.to("cpu")
    assert storages(module) == before
    assert module.one.weight is module.other.weight


def test_weights_that_were_converted_stay_converted(module: Tied) -> None:
    """As in pipelines that decode in float32 although they were loaded in half precision."""
    module.to(dtype=torch.float32)
    module.to("cpu")
    assert module.one.weight.dtype is torch.float32
    module.to(dtype=torch.float16)
    module.to("cpu")
    assert module.one.weight.dtype is torch.float16


def test_a_move_that_converts_buffers_converts_them(module: Tied) -> None:
    module.to("cpu", torch.float16)
    assert module.scale.dtype is torch.float16
