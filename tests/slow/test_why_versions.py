"""`spacediff why --versions` from end to end: the Space pins the release before a change of diffusers.

The change is that of `test_other_versions.py`: from 0.37 on, the noise levels of `use_flow_sigmas` are others.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.environments.releases import releases_of
from spacediff.environments.uv import uv_program
from spacediff.errors import EnvironmentUnavailable
from spacediff.record import Standing, read_record
from spacediff.scenario.scenario import load_scenario
from spacediff.tiny.portable import portable_checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OLD = "0.36.0"
SCRIPT = """import torch
from diffusers import CogVideoXPipeline, UniPCMultistepScheduler

pipe = CogVideoXPipeline.from_pretrained("CHECKPOINT", torch_dtype=torch.float32)
pipe.scheduler = UniPCMultistepScheduler.from_config(
    pipe.scheduler.config, use_flow_sigmas=True, prediction_type="flow_prediction"
)
video = pipe(
    prompt="a lemon on the left",
    guidance_scale=1.0,
    num_inference_steps=2,
    num_frames=5,
    generator=torch.Generator(device="cpu").manual_seed(42),
).frames[0]
"""


def test_the_version_that_a_space_pins_is_named_as_the_cause_and_not_the_other_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if uv_program() is None:
        pytest.skip("uv is not installed")
    try:
        releases_of("diffusers")
    except EnvironmentUnavailable as error:
        pytest.skip(error.message)
    monkeypatch.chdir(tmp_path)
    script = SCRIPT.replace("CHECKPOINT", portable_checkpoint().as_posix())
    Path("run.py").write_text(script)
    Path("space").mkdir()
    Path("space/app.py").write_text(script.replace("pipe.scheduler =", "pipe.vae.enable_slicing()\npipe.scheduler ="))
    Path("space/requirements.txt").write_text(f"diffusers=={OLD}\ntorch\n")

    command = ["why", "--script", "run.py", "--space", "space", "--versions", "--write", "mine.toml"]
    assert main(command) == 0
    assert load_scenario(Path("mine.toml")).changes_of("as-hosted").value("env.diffusers") == OLD
    cause = read_record(Path("audits/mine")).cause
    assert cause is not None
    standing = {each.path: each.standing for each in cause.suspects}
    assert standing == {"env.diffusers": Standing.CAUSE, "vae.slicing": Standing.NO_EFFECT}
    assert "transformers" in {each.name for each in cause.moved}, "it came with the old release, which is said"
    assert f"install diffusers=={OLD}" in " ".join(capsys.readouterr().out.split())
    corrected = load_scenario(Path("audits/mine/corrected.toml")).settings_of("baseline")
    assert corrected.value("env.diffusers") == OLD
