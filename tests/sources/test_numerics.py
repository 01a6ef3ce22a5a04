from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from spacediff.errors import UnsupportedSetting
from spacediff.observer.switches import current_numerics
from spacediff.settings import Origin, Settings
from spacediff.sources.local.numerics.switches import environment_for, numerics
from spacediff.sources.local.refusals import explained_refusals


def declared(placement: str = "cpu", **values: Any) -> Settings:
    return Settings.of({"placement": placement, "numerics": values}, Origin.DECLARED)


# TF32


@pytest.mark.parametrize(
    ("values", "matmul", "cudnn"),
    [
        ({}, False, True),
        ({"tf32": True}, True, True),
        ({"tf32": False}, False, False),
        ({"tf32_matmul": True}, True, True),
        ({"tf32_cudnn": False}, False, False),
        ({"tf32": True, "tf32_cudnn": False}, True, False),
    ],
)
def test_both_switches_of_tf32_are_set_recorded_and_restored(values: Any, *, matmul: bool, cudnn: bool) -> None:
    before = current_numerics()
    assert (before["tf32_matmul"], before["tf32_cudnn"]) == (False, True), "the defaults of torch"
    with numerics(declared(**values)):
        inside = current_numerics()
        assert (inside["tf32_matmul"], inside["tf32_cudnn"]) == (matmul, cudnn)
        assert torch.backends.cudnn.allow_tf32 is cudnn
    assert current_numerics() == before


# Variables of the environment


def test_attention_that_an_environment_variable_chooses_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert current_numerics()["attention"] == "chosen by torch"
    monkeypatch.setenv("DIFFUSERS_ATTN_BACKEND", "sage")
    assert current_numerics()["attention"] == "sage of DIFFUSERS_ATTN_BACKEND"
    with pytest.raises(UnsupportedSetting, match="no effect while DIFFUSERS_ATTN_BACKEND is 'sage'"):
        numerics(declared(attention="math")).__enter__()
    monkeypatch.setenv("DIFFUSERS_ATTN_BACKEND", "native")
    with numerics(declared(attention="math")):
        assert not torch.backends.cuda.flash_sdp_enabled()


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        (declared("cuda:1", deterministic=True), {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}),
        (declared("cuda", deterministic=False), {}),
        (declared("cuda"), {}),
        (declared("cpu", deterministic=True), {}),
    ],
)
def test_deterministic_cublas_needs_a_variable(
    settings: Settings, needed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    assert environment_for(settings) == needed
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    assert environment_for(settings) == {}


# What torch refuses


class Attention(torch.nn.Module):
    """Scaled dot product attention of a query with itself."""

    def __init__(self, **given: Any) -> None:
        super().__init__()
        self.given = given

    def forward(self, query: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(query, query, query, **self.given)


def pipeline(module: torch.nn.Module) -> Any:
    block = torch.nn.Module()
    block.attn = module
    return SimpleNamespace(
        components={"tokenizer": None, "transformer": torch.nn.Sequential(torch.nn.Identity(), block)}
    )


def refused(module: torch.nn.Module, query: torch.Tensor, **values: Any) -> str:
    settings = declared(**values)
    with (
        pytest.raises(UnsupportedSetting) as caught,
        numerics(settings),
        explained_refusals(pipeline(module), settings),
    ):
        module(query)
    return caught.value.message


def test_a_kernel_that_a_module_cannot_use_is_named_with_the_module_and_the_reason() -> None:
    assert refused(Attention(), torch.randn(2, 8, 64), attention="flash") == (
        "numerics.attention = 'flash' cannot be used by transformer.1.attn (Attention): All fused kernels requires "
        "query, key and value to be 4 dimensional, but got Query dim: 3, Key dim: 3, Value dim: 3 instead"
    )
    message = refused(Attention(dropout_p=0.1), torch.randn(1, 2, 8, 64), attention="flash")
    assert message.endswith("(Attention): Both fused kernels do not support non-zero dropout")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_kernel_that_the_device_lacks_is_an_error_even_without_a_reason() -> None:
    assert refused(Attention(), torch.randn(1, 2, 8, 64), attention="cudnn") == (
        "numerics.attention = 'cudnn' cannot be used by transformer.1.attn (Attention): torch has no such kernel for "
        "these tensors on this device"
    )


class Scattering(torch.nn.Module):
    """An operation that torch has no deterministic implementation of."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values.put_(torch.tensor([0]), torch.tensor([1.0]))


def test_an_operation_that_is_not_deterministic_is_named_with_the_module() -> None:
    assert refused(Scattering(), torch.zeros(3), deterministic=True) == (
        "numerics.deterministic cannot be used by transformer.1.attn (Scattering): put_ has no deterministic "
        "implementation"
    )


class Refusing(torch.nn.Module):
    """Raises an error as torch does."""

    def forward(self, message: str) -> None:
        raise RuntimeError(message)


CUBLAS = """Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` or \
`at::Context::setDeterministicAlgorithms(true)`, but this operation is not deterministic because it uses CuBLAS and \
you have CUDA >= 10.2. To enable deterministic behavior in this case, you must set an environment variable before \
running your PyTorch application: CUBLAS_WORKSPACE_CONFIG=:4096:8"""
"""What older versions of torch say on CUDA (pytorch/pytorch#109856)."""


def test_the_missing_variable_of_cublas_is_named_with_what_to_do() -> None:
    module = Refusing()
    with (
        pytest.raises(UnsupportedSetting) as caught,
        explained_refusals(pipeline(module), declared(deterministic=True)),
    ):
        module(CUBLAS)
    assert caught.value.message == (
        "numerics.deterministic needs CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment before CUDA starts"
    )
    assert "CUBLAS_WORKSPACE_CONFIG=:4096:8 spacediff audit" in caught.value.hint


@pytest.mark.parametrize("values", [{}, {"attention": "flash"}, {"deterministic": True}])
def test_other_errors_and_warnings_of_a_pipeline_pass_through(values: dict[str, Any]) -> None:
    module = Refusing()
    with (
        pytest.raises(RuntimeError, match="of its own"),
        explained_refusals(pipeline(module), declared(**values)),
    ):
        module("an error of its own")
    with pytest.warns(UserWarning, match="a warning"), explained_refusals(pipeline(module), declared(**values)):
        warnings.warn("a warning", stacklevel=1)
