"""An audit of groups by the real command: the tiny checkpoint, other seeds on each side."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.errors import Exit
from spacediff.record import GateStatus, Role, read_record

pytestmark = pytest.mark.slow

SCENARIO = """
title = "Small"
samples = 6
prompts.lemon = { text = "a lemon", seed = 42 }
[baseline]
model = { id = "builtin:tiny-cogvideox-random", dtype = "float32" }
call = { num_inference_steps = 2, num_frames = 5 }
[variants.guided]
call.guidance_scale = 40.0
[reference]
variant = "guided"
[scale]
seeds = 1
rerun = false
[steps]
keep_latents = false
[gate]
variant = "baseline"
"""


def test_an_audit_of_groups_fails_its_gate_on_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "small.toml").write_text(SCENARIO)
    code = main(["audit", str(tmp_path / "small.toml"), "--out", str(tmp_path / "audit")])
    printed = " ".join(capsys.readouterr().out.split())
    record = read_record(tmp_path / "audit")
    (groups,) = record.samples
    assert code == Exit.GATE_FAILED
    assert record.gate.status is GateStatus.FAILED
    assert groups.findings
    assert len(groups.reference_runs) == len(groups.candidate_runs) == 6
    assert "as groups, its 6 clips and the 6 of the reference differ" in printed
    assert (tmp_path / "audit" / groups.reference_strip).is_file()
    assert {run.role for run in record.runs if run.name in groups.candidate_runs[1:]} == {Role.SAMPLE}
    assert {each.candidate for each in record.comparisons} == {"baseline", "seed-43"}
