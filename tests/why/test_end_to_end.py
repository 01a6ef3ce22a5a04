"""`spacediff why` from end to end: a stand-in Hub, a real Gradio Space that generates, and the tiny checkpoint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spacediff.reading import read_text
from spacediff.record import read_record
from spacediff.scenario.scenario import load_scenario
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.hub_stand_in import Model, Space, hub_stand_in
from support.paths import ROOT
from support.tiny_space import APP, SPACE_STEPS

SCRIPT = """import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("org/tiny", torch_dtype=torch.float32)
pipe.enable_model_cpu_offload()
video = pipe(
    prompt="A hand squeezes half a lemon",
    guidance_scale=6.0,
    num_inference_steps=SPACE_STEPS,
    generator=torch.Generator(device="cpu").manual_seed(42),
).frames[0]
export_to_video(video, "lemon.mp4", fps=3)
""".replace("SPACE_STEPS", str(SPACE_STEPS))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_why_names_the_cause_and_patches_the_script(tiny_space: str, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    checkpoint = ensure_checkpoint(RANDOM)
    files = {
        str(path.relative_to(checkpoint)): path.read_bytes() for path in Path(checkpoint).rglob("*") if path.is_file()
    }
    spaces = {"org/demo": Space(tiny_space, files={"app.py": APP}, requirements="diffusers\n")}
    with hub_stand_in(spaces, models={"org/tiny": Model(files)}) as hub:
        environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": "", "HF_HUB_OFFLINE": "0"}
        command = ["why", "--script", "run.py", "--space", "org/demo", "--write", "mine.toml", "--patch", "mine.patch",
                   "--budget", "39"]  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "spacediff", *command],
            cwd=tmp_path,
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT / "harness")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    record = read_record(tmp_path / "audits" / "mine")
    assert record.cause
    assert record.cause.finished
    assert "--budget 39" in record.command
    assert set(record.cause.cause) == {"scheduler.class", "call.guidance_scale", "call.use_dynamic_cfg"}
    asked_for = load_scenario(tmp_path / "mine.toml").reference.space
    assert asked_for
    assert asked_for.endpoint == "/generate"
    assert (asked_for.outputs.video, asked_for.outputs.seed) == (0, 3)

    subprocess.run(["git", "apply", "mine.patch"], cwd=tmp_path, check=True, env={"PATH": "/usr/bin:/bin"})  # noqa: S607
    patched = read_text((tmp_path / "run.py").read_bytes(), "run.py").settings
    assert patched.value("scheduler.class") == "CogVideoXDPMScheduler"
    assert patched.value("call.guidance_scale") == 7.0
    assert patched.value("call.use_dynamic_cfg") is True
    assert patched.value("placement") == "model_cpu_offload", "makes no difference, so it is not changed"
    assert "guidance_scale=7.0" in done.stdout

    corrected = load_scenario(tmp_path / "audits" / "mine" / "corrected.toml")
    baseline = corrected.settings_of("baseline")
    assert baseline.value("scheduler.class") == "CogVideoXDPMScheduler"
    assert baseline.value("call.use_dynamic_cfg") is True
    assert baseline.value("placement") == "model_cpu_offload"
    assert corrected.gate
    assert corrected.gate.variant == "baseline"
