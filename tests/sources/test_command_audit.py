"""A plain diffusers program as the reference of an audit: its clip and its steps are those of the baseline."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spacediff.api import run_audit
from spacediff.record import Stage, Verdict
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.programs import scenario_text

SOURCE = """
import importlib, sys
import torch
try:
    importlib.import_module("torchvision")
except RuntimeError:  # built for a torch with CUDA
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    operators = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        operators.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video
from spacediff import trace

checkpoint, prompt, seed, out, file = sys.argv[1:]
pipe = CogVideoXPipeline.from_pretrained(checkpoint, dtype=torch.float32)


def seen(pipe, step, timestep, found):
    trace.write(file, step=step + 1, timestep=timestep, latents=found["latents"])
    return {}


frames = pipe(
    prompt,
    num_inference_steps=2,
    num_frames=5,
    generator=torch.Generator().manual_seed(int(seed)),
    callback_on_step_end=seen,
).frames[0]
export_to_video(frames, out, fps=12)
"""

MORE = """\
call = { num_inference_steps = 2, num_frames = 5 }
output.fps = 12
placement = "cpu"
[variants.guidance]
call.guidance_scale = 3.0
[scale]
seeds = 1
rerun = false
[gate]
variant = "baseline"
"""


@pytest.mark.slow
def test_a_program_with_plain_diffusers_is_reproduced_by_the_baseline(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(SOURCE)
    command = [sys.executable, "own.py", str(ensure_checkpoint(RANDOM)), "{prompt}", "{seed}", "{out}", "{trace}"]
    (tmp_path / "s.toml").write_text(scenario_text(command, prompt='-- "a"\nlemon', more=MORE))
    result = run_audit(tmp_path / "s.toml", out=tmp_path / "audit")
    assert result.passed
    assert result.comparison("baseline").verdict is Verdict.CODEC_ONLY
    assert not result.comparison("guidance").verdict.matches
    places = {each.candidate: (each.stage, each.step) for each in result.record.traces}
    assert (places["baseline"], places["guidance"]) == ((Stage.NOWHERE, None), (Stage.STEP, 1))
    again = run_audit(tmp_path / "s.toml", out=tmp_path / "audit")
    assert again.record.runs[0].seconds == result.record.runs[0].seconds, "it is not run again"
