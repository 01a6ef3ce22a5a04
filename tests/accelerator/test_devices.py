"""Devices by name and number, on the stand-in accelerator: placements, generators, and the memory of a run's device."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from support.standin import StandIn

pytestmark = pytest.mark.slow

CODE = """
    import json
    import torch
    from spacediff.errors import NotMeasuredError
    from spacediff.progress import SilentListener
    from spacediff.settings import Origin, Settings
    from spacediff.sources.local.generate import LocalSource
    from spacediff.tiny.checkpoint import RANDOM

    source = LocalSource(reuse=False)
    call = {"num_inference_steps": 2, "num_frames": 5}

    def generated(**tables):
        settings = Settings.of({"model": {"id": RANDOM.id}, "call": call, **tables}, Origin.DECLARED)
        held = torch.zeros(2**28, dtype=torch.uint8, device="npu")  # 256 MiB that are not the run's
        torch.npu.reset_peak_memory_stats()
        del held
        try:
            made = source.generate(settings, "A hand squeezes half a lemon", 42, SilentListener(), fresh=True)
        except NotMeasuredError as error:
            return {"refused": error.message}
        return {
            "digest": made.clip.digest,
            "noise": made.trace.noise.digest,
            "drawn_on": made.trace.noise.device,
            "placement": made.settings.value("placement"),
            "peak": max(stage.peak_bytes for stage in made.trace.stages),
        }

    cases = {
        "default": {},
        "cpu": {"placement": "cpu"},
        "npu": {"placement": "npu"},
        "npu:0": {"placement": "npu:0"},
        "npu:1": {"placement": "npu:1"},
        "offload": {"placement": "model_cpu_offload"},
        "offload:0": {"placement": "model_cpu_offload:0"},
        "offload:1": {"placement": "model_cpu_offload:1"},
        "generator": {"placement": "npu:0", "rng": {"device": "npu"}},
        "generator:0": {"placement": "npu", "rng": {"device": "npu:0"}},
        "global": {"placement": "npu", "rng": {"device": "global"}},
        "distant": {"placement": "cpu", "rng": {"device": "npu"}},
    }
    print(json.dumps({name: generated(**tables) for name, tables in cases.items()}))
"""


@pytest.fixture(scope="module")
def runs(standin: StandIn) -> dict[str, dict[str, Any]]:
    """What one process generated, by the names of the cases."""
    command = [sys.executable, "-P", "-c", textwrap.dedent(CODE)]
    done = subprocess.run(command, env=standin.environment(), check=True, text=True, stdout=subprocess.PIPE)
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_device_and_its_number_are_the_same_placement(runs: dict[str, dict[str, Any]]) -> None:
    assert runs["default"]["placement"] == "npu"
    on_device = {runs[name]["digest"] for name in ("default", "npu", "npu:0", "offload", "offload:0")}
    assert len(on_device) == 1
    assert runs["cpu"]["digest"] not in on_device, "the kernels of another device"


def test_a_number_that_is_not_there_is_refused(runs: dict[str, dict[str, Any]]) -> None:
    one = "cannot be used: this machine has one NPU device, npu:0"
    assert runs["npu:1"] == {"refused": f"placement = 'npu:1' {one}"}
    assert runs["offload:1"] == {"refused": f"placement = 'model_cpu_offload:1' {one}"}


def test_a_generator_draws_on_its_device(runs: dict[str, dict[str, Any]]) -> None:
    assert {runs[name]["drawn_on"] for name in ("generator", "generator:0", "global")} == {"npu"}
    assert runs["generator"]["noise"] == runs["generator:0"]["noise"] == runs["global"]["noise"]
    assert runs["npu"]["drawn_on"] == "cpu"
    assert runs["npu"]["noise"] == runs["cpu"]["noise"] != runs["generator"]["noise"]
    assert runs["distant"] == {
        "refused": "rng.device = 'npu' draws the noise on another device than the pipeline's, which is cpu"
    }


def test_the_peak_of_a_run_is_that_of_its_device(runs: dict[str, dict[str, Any]]) -> None:
    assert runs["npu"]["peak"] < 2**28, "the tiny model on the device, and not what was there before"
    assert runs["cpu"]["peak"] > 2**28, "the whole process"
