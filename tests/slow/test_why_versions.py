"""`spacediff why --versions` from end to end: the Space pins the release before a change of diffusers.

The change is that of `test_other_versions.py`: from 0.37 on, the noise levels of `use_flow_sigmas` are others. A small
`flow_shift` makes it visible: the first level is 0.909 before, and 1 since.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spacediff.record import Standing, read_record
from spacediff.scenario.scenario import load_scenario
from spacediff.tiny.portable import portable_checkpoint
from support.hub_stand_in import Model, hub_stand_in
from support.needs_uv import skip_without_releases
from support.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OLD = "0.36.0"
SCRIPT = """import torch
from diffusers import CogVideoXPipeline, UniPCMultistepScheduler

pipe = CogVideoXPipeline.from_pretrained("org/tiny", torch_dtype=torch.float32)
pipe.scheduler = UniPCMultistepScheduler.from_config(
    pipe.scheduler.config, use_flow_sigmas=True, flow_shift=0.01, prediction_type="flow_prediction"
)
video = pipe(
    prompt="a lemon on the left",
    guidance_scale=1.0,
    num_inference_steps=2,
    num_frames=5,
    generator=torch.Generator(device="cpu").manual_seed(42),
).frames[0]
"""


def test_the_version_that_a_space_pins_is_named_as_the_cause_and_not_the_other_setting(tmp_path: Path) -> None:
    skip_without_releases()
    (tmp_path / "space").mkdir()
    (tmp_path / "run.py").write_text(SCRIPT)
    theirs = SCRIPT.replace("pipe.scheduler =", "pipe.vae.enable_slicing()\npipe.scheduler =")
    (tmp_path / "space" / "app.py").write_text(theirs)
    (tmp_path / "space" / "requirements.txt").write_text(f"diffusers=={OLD}\ntorch\n")

    done = run_why(tmp_path, "--space", "space", "--versions", "--write", "mine.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert load_scenario(tmp_path / "mine.toml").changes_of("as-hosted").value("env.diffusers") == OLD
    cause = read_record(tmp_path / "audits" / "mine").cause
    assert cause is not None
    standing = {each.path: each.standing for each in cause.suspects}
    assert standing == {"env.diffusers": Standing.CAUSE, "vae.slicing": Standing.NO_EFFECT}
    assert "transformers" in {each.name for each in cause.moved}, "it came with the old release, which is said"
    assert f"install diffusers=={OLD}" in " ".join(done.stdout.split())
    corrected = load_scenario(tmp_path / "audits" / "mine" / "corrected.toml").settings_of("baseline")
    assert corrected.value("env.diffusers") == OLD


def run_why(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a stand-in for the Hub that has the checkpoint."""
    checkpoint = portable_checkpoint()
    files = {path.relative_to(checkpoint).as_posix(): path.read_bytes() for path in checkpoint.rglob("*.*")}
    with hub_stand_in({}, models={"org/tiny": Model(files)}) as hub:
        variables = {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home"), "HF_TOKEN": "", "HF_HUB_OFFLINE": "0"}
        return subprocess.run(
            [sys.executable, "-m", "spacediff", "why", "--script", "run.py", *words],
            cwd=folder,
            env={**os.environ, **variables, "PYTHONPATH": str(ROOT / "harness")},
            capture_output=True,
            text=True,
            check=False,
        )
