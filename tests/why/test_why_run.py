"""`spacediff why --run` from end to end: a stand-in Hub, a real Gradio Space that generates, and the script itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spacediff.record import GateStatus, read_record
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.hub_stand_in import Model, Space, hub_stand_in
from support.paths import ROOT
from support.script_styles import SITE
from support.tiny_space import APP, SPACE_STEPS

SCRIPT = f"""import sys
import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("org/tiny", torch_dtype=torch.float32)
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
video = pipe(
    prompt="A hand squeezes half a lemon",
    guidance_scale=6.0,
    use_dynamic_cfg=True,
    num_inference_steps={SPACE_STEPS},
    generator=torch.Generator(device="cpu").manual_seed(42),
).frames[0]
export_to_video(video, "lemon.mp4", fps=3)
open(sys.argv[1], "w").write("went on")
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_script_itself_is_explained_against_the_space(tiny_space: str, tmp_path: Path) -> None:
    for name, text in {"run.py": SCRIPT, "site/sitecustomize.py": SITE}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    checkpoint = Path(ensure_checkpoint(RANDOM))
    files = {str(path.relative_to(checkpoint)): path.read_bytes() for path in checkpoint.rglob("*") if path.is_file()}
    spaces = {"org/demo": Space(tiny_space, files={"app.py": APP}, requirements="diffusers\n")}
    with hub_stand_in(spaces, models={"org/tiny": Model(files)}) as hub:
        environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": "", "HF_HUB_OFFLINE": "0"}
        search = os.pathsep.join([str(tmp_path / "site"), str(ROOT / "harness")])
        marker = tmp_path / "marker"
        command = ["why", "--script", "run.py", "--space", "org/demo", "--run", f"--arguments={marker}"]
        done = subprocess.run(
            [sys.executable, "-m", "spacediff", *command],
            cwd=tmp_path,
            env={**os.environ, **environment, "PYTHONPATH": search},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not marker.exists()
    assert not (tmp_path / "lemon.mp4").exists()
    record = read_record(tmp_path / "audits" / "why-run")
    assert record.run("main", "baseline").source == "script"
    assert record.cause
    assert record.cause.cause == ["call.guidance_scale"]
    assert "call.guidance_scale: change it to 7.0 (run.py:10)" in done.stdout


@pytest.mark.slow
def test_a_folder_stands_for_the_space_and_the_cause_is_measured(tmp_path: Path) -> None:
    script = SCRIPT.replace("org/tiny", "builtin:tiny-cogvideox-random").replace(
        'open(sys.argv[1], "w").write("went on")\n', ""
    )
    (tmp_path / "run.py").write_text(script)
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "app.py").write_text(script.replace("guidance_scale=6.0", "guidance_scale=7.0"))
    command = [
        sys.executable,
        "-m",
        "spacediff",
        "why",
        "--script",
        "run.py",
        "--space",
        "space",
        "--patch",
        "mine.patch",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "harness"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    record = read_record(tmp_path / "audits" / "why-run")
    assert (record.reference, record.gate.status) == ("as-hosted", GateStatus.NONE)
    assert record.cause
    assert record.cause.cause == ["call.guidance_scale"]
    assert "+    guidance_scale=7.0,\n" in (tmp_path / "mine.patch").read_text()
    assert (tmp_path / "audits" / "why-run" / "corrected.toml").is_file()
