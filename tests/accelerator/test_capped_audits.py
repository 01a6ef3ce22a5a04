"""Audits of the real command on the stand-in accelerator: how much memory is enough for every variant.

The scenario has the variants of the comparison of CogVideoX-5b with its Space, and a checkpoint of its proportions.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from spacediff.record import AuditRecord, read_record
from support.heavy_checkpoint import CALL, weights_of
from support.standin import StandIn, Use, reported

pytestmark = [pytest.mark.slow, pytest.mark.long]

VARIANTS = ["resident", "no-tiling", "as-hosted"]
"""The others take the memory of the baseline, and the search generates their settings."""
SCENARIO = """
title = "As CogVideoX-5b"
[prompts.lemon]
text = "A hand squeezes half a lemon over a glass bowl, close-up"
seed = 42
[baseline]
model = {{ id = '{checkpoint}', dtype = "bfloat16" }}
call = {{ {call}, guidance_scale = 6.0 }}
placement = "model_cpu_offload"
vae.tiling = true
rng.device = "npu"
output.fps = 8
[variants.resident]
placement = "npu"
[variants.no-tiling]
vae.tiling = false
[variants.dynamic-cfg]
call.use_dynamic_cfg = true
[variants.guidance-7]
call.guidance_scale = 7.0
[variants.dpm]
scheduler.class = "CogVideoXDPMScheduler"
[variants.dpm-trailing]
scheduler = {{ class = "CogVideoXDPMScheduler", timestep_spacing = "trailing" }}
[variants.cpu-noise]
from = "resident"
rng.device = "cpu"
[variants.as-hosted]
from = ["dynamic-cfg", "dpm-trailing", "guidance-7", "cpu-noise", "resident", "no-tiling"]
[reference]
variant = "as-hosted"
[explain]
from = "baseline"
to = "as-hosted"
[steps]
keep_latents = true
"""


@dataclass(frozen=True)
class Audited:
    """An audit on a device of a size, and what its processes used."""

    cap: int
    weights: int
    record: AuditRecord
    own: Use
    others: Sequence[Use]


@pytest.fixture(scope="module", params=[1.1, 1.9], ids=lambda room: f"room for {room} times the weights")
def audited(
    request: pytest.FixtureRequest, standin: StandIn, heavy_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> Audited:
    work = tmp_path_factory.mktemp("capped")
    weights = weights_of(heavy_checkpoint)
    cap = int(request.param * weights)
    call = ", ".join(f"{name} = {value}" for name, value in CALL.items())
    scenario = work / "heavy.toml"
    scenario.write_text(SCENARIO.format(checkpoint=heavy_checkpoint, call=call), "utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "spacediff", "audit", str(scenario), "--out", str(work / "audit")),
            *(word for name in VARIANTS for word in ("--only", name)),
        ],
        env=standin.environment(cap=cap, report=work / "report"),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    used = reported(work / "report")
    (own,) = [use for use in used if "audit" in use.command]
    return Audited(cap, weights, read_record(work / "audit"), own, [use for use in used if use is not own])


def test_every_run_is_generated(audited: Audited) -> None:
    reasons = {run.name: run.reason for run in audited.record.runs if run.failed}
    assert not reasons
    assert {run.name for run in audited.record.runs} >= {"baseline", *VARIANTS}


def test_a_cause_is_found_and_proved(audited: Audited) -> None:
    cause = audited.record.cause
    assert cause
    assert cause.finished
    assert cause.proof
    assert "rng.device" in cause.cause


def test_the_process_of_the_audit_holds_no_device_memory(audited: Audited) -> None:
    assert audited.own.peak == 0
    assert audited.own.host_peak < 0.6 * audited.weights, "it holds clips and metrics, no weights"


def test_a_worker_stays_within_the_memory_and_leaves_nothing(audited: Audited) -> None:
    workers = [use for use in audited.others if use.peak]
    assert workers
    for worker in workers:
        assert audited.weights < worker.peak <= audited.cap
        assert worker.in_use == 0
        assert worker.host_peak < 1.2 * audited.weights
