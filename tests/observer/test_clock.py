from __future__ import annotations

import json
import subprocess
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


_COUNTS = """
import json, sys
from pathlib import Path
from spacediff.observer.resident import Resident

def peak():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return 1024 * int(line.split()[1])

measured, before = [], peak()
resident = Resident(resets=sys.argv[1] == "resets")
for taken in (400, 0, 200):
    resident.reset()
    bytearray(taken * 2**20)
    measured.append(resident.read())
print(json.dumps([before, *measured, peak()]))
"""


def counted(resets: str) -> list[float]:
    """The peaks of a process of its own, in MiB: before, while 400, 0 and 200 are taken for a moment, and after."""
    program = [sys.executable, "-c", _COUNTS, resets]
    return [each / 2**20 for each in json.loads(subprocess.run(program, capture_output=True, check=True).stdout)]


def peak_can_begin_again() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


@pytest.mark.skipif(not peak_can_begin_again(), reason="this system counts no peak that can begin again")
def test_memory_that_is_taken_for_a_moment_counts_in_its_stage_and_not_in_the_next() -> None:
    before, much, nothing, less, _ = counted("resets")
    assert much == pytest.approx(before + 400, abs=20)
    assert nothing == pytest.approx(before, abs=20)
    assert less == pytest.approx(before + 200, abs=20)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count no peak")
def test_the_peak_of_another_program_is_not_begun_again() -> None:
    before, much, nothing, less, after = counted("keeps")
    assert much == pytest.approx(before + 400, abs=20)
    assert after >= much
    assert nothing == pytest.approx(before, abs=20)
    assert less == pytest.approx(before, abs=20), "what is below an earlier peak is not known"


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
