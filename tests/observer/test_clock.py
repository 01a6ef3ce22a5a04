from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
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


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count no peak that can begin again")
def test_memory_that_is_taken_for_a_moment_counts_in_its_stage_and_not_in_the_next() -> None:
    costs: list[StageCost] = []
    clock, taken = StageClock(costs.append, torch.device("cpu")), 300 * 2**20
    resident = psutil.Process().memory_info().rss
    with clock.stage("decoding"):
        bytearray(taken)
    with clock.stage("text"):
        pass
    decoding, text = (cost.peak_bytes for cost in costs)
    assert decoding == pytest.approx(resident + taken, rel=0.1)
    assert text < decoding - taken / 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count no peak that can begin again")
def test_the_peak_of_another_program_is_not_begun_again() -> None:
    costs: list[StageCost] = []
    bytearray(300 * 2**20)
    before = peak()
    with StageClock(costs.append, torch.device("cpu"), resets=False).stage("text"):
        pass
    assert peak() == before
    assert costs[0].peak_bytes == pytest.approx(psutil.Process().memory_info().rss, rel=0.1)
    with StageClock(costs.append, torch.device("cpu"), resets=False).stage("decoding"):
        bytearray(before)
    assert costs[1].peak_bytes > before


def peak() -> int:
    """The peak of what is resident in this process, in bytes, by the kernel."""
    return next(
        1024 * int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    )


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
