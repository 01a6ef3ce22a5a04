from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil
import pytest
import torch

from spacediff.observer.clock import StageClock
from spacediff.observer.observation import StageCost


def refuse(*_: Any) -> int:
    pytest.fail("another device than the pipeline's was asked")


def measured(device: str) -> int:
    """The peak of one stage, in bytes."""
    costs: list[StageCost] = []
    with StageClock(costs.append, torch.device(device)).stage("text"):
        pass
    [cost] = costs
    return cost.peak_bytes


def test_the_peak_of_a_pipeline_on_the_cpu_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", refuse)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", refuse)
    resident = psutil.Process().memory_info().rss
    assert measured("cpu") == pytest.approx(resident, rel=0.2)


def test_the_peak_of_a_pipeline_on_an_accelerator_is_that_of_this_device(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = {torch.device("xpu:0"): 100, torch.device("xpu:1"): 200}
    monkeypatch.setattr(torch.xpu, "reset_peak_memory_stats", lambda device: peaks.update({device: 7}))
    monkeypatch.setattr(torch.xpu, "max_memory_allocated", lambda device: peaks[device])
    assert measured("xpu:1") == 7
    assert peaks[torch.device("xpu:0")] == 100


@pytest.mark.parametrize(
    ("device", "bytes_of"),
    [("mps", lambda _: 42), ("mtia", lambda resident: resident)],
)
def test_a_device_that_counts_no_peak(
    device: str, bytes_of: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 42)
    for name in ("max_memory_allocated", "reset_peak_memory_stats"):
        monkeypatch.delattr(torch.mtia, name, raising=False)
    assert measured(device) == pytest.approx(bytes_of(psutil.Process().memory_info().rss), rel=0.2)
