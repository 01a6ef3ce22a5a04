"""Audits by the real command on a machine with an accelerator."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from spacediff.record import read_record
from spacediff.shipped import shipped
from spacediff.tiny.checkpoint import RANDOM
from support.accelerator_models import DEVICE, on_an_accelerator

pytestmark = on_an_accelerator

AUDIT = """
import sys

import torch
from spacediff.cli.commands import main
from spacediff.devices import memory_in_use

code = main(["audit", sys.argv[1], "--out", sys.argv[2]])
assert memory_in_use() == 0, "the process of the audit holds device memory"
if torch.cuda.is_available():
    assert not torch.cuda.is_initialized(), "the process of the audit has a context on the device"
sys.exit(code)
"""
SMALL = f"""
title = "On this accelerator"
[prompts.lemon]
text = "A hand squeezes half a lemon"
seed = 42
[baseline]
model = {{ id = "{RANDOM.id}", dtype = "bfloat16" }}
call = {{ num_inference_steps = 4 }}
rng.device = "{DEVICE}"
[variants.offloaded]
placement = "model_cpu_offload"
[variants.cpu-noise]
rng.device = "cpu"
[reference]
variant = "cpu-noise"
[explain]
from = "baseline"
to = "cpu-noise"
"""


def audited(scenario: Path, folder: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-P", "-c", AUDIT, str(scenario), str(folder)], check=False, capture_output=True, text=True
    )
    print(done.stdout)  # noqa: T201 - shown by -rP
    assert "AssertionError" not in done.stderr, done.stderr
    return done.returncode


def test_the_quickstart_passes_its_gate(tmp_path: Path) -> None:
    assert audited(shipped("scenarios") / "quickstart.toml", tmp_path / "audit") == 0
    gate = read_record(tmp_path / "audit").gate
    assert gate
    assert gate.status == "passed"


def test_the_noise_of_the_device_is_found_as_the_cause(tmp_path: Path) -> None:
    scenario = tmp_path / "small.toml"
    scenario.write_text(SMALL, "utf-8")
    assert audited(scenario, tmp_path / "audit") == 0
    record = read_record(tmp_path / "audit")
    assert {run.name: run.reason for run in record.runs if run.failed} == {}
    assert record.cause
    assert record.cause.cause == ["rng.device"]


def test_the_doctor_names_the_accelerator() -> None:
    command = [sys.executable, "-P", "-m", "spacediff", "doctor"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert DEVICE in done.stdout.lower()
