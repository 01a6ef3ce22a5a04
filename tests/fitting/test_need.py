from __future__ import annotations

import pytest

from spacediff.fitting.need import CONTEXT, MARGIN, OFFLOAD_COPIES, Need, Part, need, on_device

ENCODER, DENOISER, VAE = Part(900, 100, 10), Part(1000, 50, 200), Part(40, 5, 1600)
PARTS = (ENCODER, DENOISER, VAE)


def test_a_resident_pipeline_needs_all_weights_and_the_largest_activations() -> None:
    assert on_device(PARTS, "cuda") == 1940 + MARGIN * 1600 + CONTEXT


def test_model_offload_needs_the_largest_component_with_its_activations() -> None:
    assert on_device(PARTS, "model_cpu_offload") == 40 + MARGIN * 1600 + CONTEXT
    assert on_device((ENCODER, DENOISER), "model_cpu_offload") == 1000 + MARGIN * 200 + CONTEXT


@pytest.mark.parametrize("way", ["group_offload", "sequential_cpu_offload"])
def test_offloading_by_layer_needs_a_layer_and_activations(way: str) -> None:
    assert on_device((ENCODER, DENOISER), way) == 50 + MARGIN * 200 + CONTEXT


def test_without_activations_the_weights_are_a_lower_bound() -> None:
    bare = tuple(Part(part.weights, part.largest) for part in PARTS)
    for way in ("cuda", "model_cpu_offload", "group_offload"):
        assert on_device(bare, way) < on_device(PARTS, way)


def test_a_run_on_the_cpu_needs_the_machines_memory_alone() -> None:
    assert need(PARTS, "cpu") == Need(0, 1940 + 1600)


def test_offloading_needs_the_weights_in_the_machines_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacediff.fitting.need.execution_device", lambda _: "cuda:0")
    assert need(PARTS, "model_cpu_offload:0").host == int(OFFLOAD_COPIES * 1940)
    assert need(PARTS, "cuda").host == 1940
