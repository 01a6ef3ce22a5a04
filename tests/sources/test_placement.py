from __future__ import annotations

from typing import Any

import pytest
import torch

from spacediff.errors import DeviceUnavailable, UnsupportedSetting
from spacediff.settings import Origin, Settings
from spacediff.sources.local.placement import default_placement, place, refuse_what_cannot_run


@pytest.fixture(autouse=True)
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two accelerators of one type, as far as torch's modules report it."""
    for module in (torch.cuda, torch.backends.mps):
        monkeypatch.setattr(module, "is_available", lambda: False)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: True)
    monkeypatch.setattr(torch.xpu, "device_count", lambda: 2)


def declared(**tables: Any) -> Settings:
    return Settings.of(tables, Origin.DECLARED)


class Pipeline:
    """Remembers how it was placed."""

    def __init__(self) -> None:
        self.placed: list[Any] = []

    def to(self, device: str) -> None:
        self.placed.append(device)

    def enable_model_cpu_offload(self, device: str) -> None:
        self.placed.append(("model", device))

    def enable_sequential_cpu_offload(self, device: str) -> None:
        self.placed.append(("sequential", device))

    def enable_group_offload(self, onload_device: torch.device, offload_type: str) -> None:
        self.placed.append((offload_type, onload_device))


@pytest.mark.parametrize(
    ("placement", "placed"),
    [
        ("cpu", "cpu"),
        ("cuda:1", "cuda:1"),
        ("model_cpu_offload", ("model", "xpu")),
        ("sequential_cpu_offload:1", ("sequential", "xpu:1")),
        ("group_offload:1", ("leaf_level", torch.device("xpu:1"))),
    ],
)
def test_a_pipeline_is_placed_on_the_device_of_this_number(placement: str, placed: Any) -> None:
    pipeline = Pipeline()
    place(pipeline, placement)
    assert pipeline.placed == [placed]


def test_by_default_a_pipeline_is_placed_on_the_accelerator() -> None:
    assert default_placement() == "xpu"


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"placement": "xpu:1", "rng": {"device": "xpu"}},
        {"placement": "model_cpu_offload:1", "rng": {"device": "global"}},
        {"rng": {"device": "xpu:1"}},
        {"placement": "cpu", "rng": {"device": "cpu"}},
    ],
)
def test_what_this_machine_has_is_not_refused(tables: dict[str, Any]) -> None:
    refuse_what_cannot_run(declared(**tables))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {"placement": "xpu:2"},
            "placement = 'xpu:2' cannot be used: this machine has 2 XPU devices, xpu:0 to xpu:1",
        ),
        (
            {"placement": "group_offload:7"},
            "placement = 'group_offload:7' cannot be used: this machine has 2 XPU devices, xpu:0 to xpu:1",
        ),
        (
            {"placement": "xpu:5", "rng": {"device": "xpu:9"}},
            "placement = 'xpu:5' and rng.device = 'xpu:9' cannot be used: this machine has 2 XPU",
        ),
    ],
)
def test_a_missing_device_is_refused_with_the_reason(tables: dict[str, Any], message: str) -> None:
    with pytest.raises(DeviceUnavailable) as caught:
        refuse_what_cannot_run(declared(**tables))
    assert caught.value.message.startswith(message)


def test_a_generator_on_another_device_than_the_pipelines_is_refused() -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        refuse_what_cannot_run(declared(placement="cpu", rng={"device": "xpu:1"}))
    assert caught.value.message == (
        "rng.device = 'xpu:1' draws the noise on another device than the pipeline's, which is cpu"
    )
    assert caught.value.hint == "set rng.device to 'cpu', or place the pipeline on 'xpu:1'"


@pytest.mark.parametrize("way", ["model_cpu_offload", "sequential_cpu_offload", "group_offload"])
def test_a_pipeline_that_cannot_be_offloaded_is_refused_by_name(way: str) -> None:
    with pytest.raises(UnsupportedSetting, match=f"object has no enable_{way}"):
        place(object(), way)
