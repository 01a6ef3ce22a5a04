"""The quickstart on a machine with an accelerator: its gate compares clips of one device, whatever the machine has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spacediff.record import Standing, read_record
from spacediff.shipped import shipped
from support.standin import StandIn, reported

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_the_gate_passes_and_the_placement_changes_only_the_numbers(standin: StandIn, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "spacediff", "audit"),
            *(str(shipped("scenarios") / "quickstart.toml"), "--only", "as-hosted", "--out", str(tmp_path / "audit")),
        ],
        env=standin.environment(report=tmp_path / "report"),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    record = read_record(tmp_path / "audit")
    assert record.gate
    assert record.gate.status == "passed"
    assert record.cause
    standing = {suspect.path: suspect.standing for suspect in record.cause.suspects}
    assert standing["placement"] is Standing.NUMERIC, "the baseline computes on the accelerator, the Space on the CPU"
    assert {*record.cause.cause} == {"scheduler.class", "call.guidance_scale", "call.use_dynamic_cfg"}
    used = {process.command[process.command.index("-m") + 1]: process for process in reported(tmp_path / "report")}
    assert used["spacediff"].peak == 0
    assert used["spacediff.tiny.space_app"].peak == 0
    assert used["spacediff.worker"].peak > 0
    assert used["spacediff.worker"].in_use == 0
