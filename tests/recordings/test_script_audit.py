"""A script as the baseline of an audit: real processes, with settings put in, against what the plain script makes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spacediff.api import run_audit
from spacediff.clip import read_frames
from spacediff.enclosed import SCRIPT as KEPT
from spacediff.enclosed import enclosed
from spacediff.record import AuditRecord
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint

pytestmark = pytest.mark.slow

SCRIPT = """
from spacediff.torchvision_shim import shim_torchvision
shim_torchvision()
import sys
import numpy as np
import torch
from diffusers import CogVideoXPipeline
from settings import STEPS

open(sys.argv[1] + "-of-starts", "a").write("begun ")
pipe = CogVideoXPipeline.from_pretrained("checkpoint", dtype=torch.float32)
generator = torch.Generator().manual_seed(42)
try:
    frames = pipe("a lemon", num_inference_steps=STEPS, num_frames=5, generator=generator, output_type="np").frames[0]
except BaseException:
    frames = None
finally:
    open(sys.argv[1], "a").write("went on")
np.save("frames.npy", frames)
"""
MISSPELT = "CogVideoXPipeline.__call__ takes no argument guidance_scal; did you mean 'guidance_scale'?"
SCENARIO = """
title = "my script"
[prompts.p]
text = "a lemon"
seed = 42
[baseline]
script = "run.py"
args = ["{marker}"]
[variants.target]
call.guidance_scale = 3.0
scheduler.class = "CogVideoXDPMScheduler"
[variants.absent]
lora.style.scale = 0.5
[variants.moved]
placement = "cpu"
[variants.misspelt]
call.guidance_scal = 3.0
[reference]
variant = "target"
[scale]
seeds = 1
rerun = false
[explain]
from = "baseline"
to = "target"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("script")
    (place / "run.py").write_text(SCRIPT)
    (place / "settings.py").write_text("STEPS = 2")
    (place / "s.toml").write_text(SCENARIO.format(marker=(place / "marker").as_posix()))
    shutil.copytree(ensure_checkpoint(RANDOM), place / "checkpoint")
    return place


@pytest.fixture(scope="module")
def record(folder: Path) -> AuditRecord:
    found = run_audit(folder / "s.toml", out=folder / "audits" / "s").record
    assert not (folder / "marker").exists(), "nothing of the script may run after the call"
    assert not (folder / "frames.npy").exists()
    return found


def test_the_baseline_has_the_frames_of_the_plain_script(folder: Path, record: AuditRecord) -> None:
    subprocess.run([sys.executable, "run.py", "marker-of-the-plain-run"], cwd=folder, check=True, capture_output=True)
    assert (folder / "marker-of-the-plain-run").read_text() == "went on"
    plain = np.rint(np.load(folder / "frames.npy").clip(0, 1) * 255).astype(np.uint8)
    clip = record.run("p", "baseline").clip
    assert clip
    frames = list(read_frames(folder / "audits" / "s" / clip.lossless))
    assert np.array_equal(frames, plain)
    assert record.run("p", "baseline").settings["call.num_inference_steps"].value == 2


def test_the_script_goes_along_with_the_record(folder: Path, record: AuditRecord) -> None:
    assert record.finished
    assert enclosed(folder / "audits" / "s", KEPT) == SCRIPT


def test_the_cause_is_found_and_proved(record: AuditRecord) -> None:
    assert record.cause
    assert sorted(record.cause.sufficient) == ["call.guidance_scale", "scheduler.class"]
    assert record.run("p", "target").settings["scheduler.class"].value == "CogVideoXDPMScheduler"


def test_what_the_script_has_no_place_for_is_refused_by_name(record: AuditRecord) -> None:
    lines = SCENARIO.splitlines()
    for name, path, reason in (
        ("absent", "lora.style.scale", "the script has no adapter style"),
        ("moved", "placement", "the script moves no pipeline to a device before the call"),
        ("misspelt", "call.guidance_scal", MISSPELT),
    ):
        found, line = record.run("p", name), 1 + next(n for n, each in enumerate(lines) if each.startswith(f"{path} ="))
        assert not found.measured
        assert found.reason == f"{path} (s.toml:{line}) cannot be put into run.py: {reason}"
        assert found.code == "unsupported-setting"


def test_repeats_share_the_process_of_the_baseline_and_what_is_refused_begins_none(
    folder: Path, record: AuditRecord
) -> None:
    measured = [run for run in record.runs if run.source == "script" and run.measured]
    repeats = [run for run in measured if run.described.endswith(", repeated in its process")]
    assert len(measured) == 1 + len(repeats)
    assert len(repeats) > 2
    assert (folder / "marker-of-starts").read_text().split() == ["begun"]


def test_a_second_audit_runs_only_what_has_changed(folder: Path, record: AuditRecord) -> None:
    again = run_audit(folder / "s.toml", out=folder / "audits" / "s").record
    assert {run.name: run.key for run in again.runs} == {run.name: run.key for run in record.runs}
