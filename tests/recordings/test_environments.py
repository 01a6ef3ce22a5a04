"""The recorder in an environment with an old diffusers, which spacediff itself could not be installed in."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from spacediff.api import compare_videos
from spacediff.record import Stage
from spacediff.recordings import read_recording
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.script_styles import SITE

OLD = (
    "diffusers==0.33.1", "transformers==4.51.3", "huggingface_hub==0.30.2", "tokenizers==0.21.1", "peft==0.15.2",
    "accelerate==1.6.0",
)  # fmt: skip
"""The oldest diffusers that recording is for, and what was current with it in April 2025."""
_OURS = ("torchvision", "spacediff", "_editable", "__editable__", "distutils-precedence")

SCRIPT = """
import sys
import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler, CogVideoXPipeline, CogVideoXTransformer3DModel
from transformers import PreTrainedTokenizerFast, T5EncoderModel

place = sys.argv[1]
pipe = CogVideoXPipeline(
    tokenizer=PreTrainedTokenizerFast(
        tokenizer_file=place + "/tokenizer/tokenizer.json",
        eos_token="</s>", pad_token="<pad>", unk_token="<unk>", model_max_length=226,
    ),
    text_encoder=T5EncoderModel.from_pretrained(place, subfolder="text_encoder"),
    vae=AutoencoderKLCogVideoX.from_pretrained(place, subfolder="vae"),
    transformer=CogVideoXTransformer3DModel.from_pretrained(place, subfolder="transformer"),
    scheduler=CogVideoXDDIMScheduler.from_pretrained(place, subfolder="scheduler"),
)
pipe.vae.enable_tiling()
pipe("a lemon", num_inference_steps=2, num_frames=5, generator=torch.Generator().manual_seed(42))
"""


def environment(folder: Path) -> str:
    """Make an environment with the old libraries, and torch and the rest of this one; skip without a registry."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--retries", "1", *OLD]
    try:
        done = subprocess.run(pip, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("the old libraries cannot be installed within five minutes")
    if done.returncode:
        pytest.skip(f"the old libraries cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    shared = folder / "shared"
    shared.mkdir()
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not each.name.startswith(_OURS) and each.suffix != ".pth":
            (shared / each.name).symlink_to(each)
    (own,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (own / "zz_shared.pth").write_text(f"{shared}\n")  # behind its own packages in sys.path
    return str(python)


def recorded(folder: Path, name: str, *options: str) -> None:
    command = [sys.executable, "-P", "-m", "spacediff", "record", "--out", name, *options, "run.py"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "site"), *filter(None, sys.path)])}
    done = subprocess.run(
        [*command, str(ensure_checkpoint(RANDOM))],
        cwd=folder,
        env=None if options else environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_script_with_an_old_diffusers_is_recorded(tmp_path: Path) -> None:
    python = environment(tmp_path)
    (tmp_path / "run.py").write_text(SCRIPT)
    recorded(tmp_path, "r.zip", "--python", python)
    recording = read_recording(tmp_path / "r.zip")
    (call,) = recording.calls
    assert recording.notes == ()
    assert (call.machine["diffusers"], call.finished, call.frames > 0) == ("0.33.1", True, True)
    expected = {
        "rng.seed": 42,
        "vae.tiling": True,
        "call.guidance_scale": 6,
        "scheduler.class": "CogVideoXDDIMScheduler",
    }
    assert {path: call.settings[path] for path in expected} == expected
    assert call.trace
    assert (len(call.trace.steps), call.trace.unobserved, bool(call.trace.decoded)) == (2, [], True)
    assert [step.guidance for step in call.trace.steps] == [6, 6]

    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    recorded(tmp_path, "today.zip")
    found = compare_videos(tmp_path / "r.zip", tmp_path / "today.zip", out=tmp_path / "audit").record
    groups = found.run("files", "candidate").setting_groups
    assert groups
    assert {"machine.diffusers", "machine.transformers"} <= set(groups.differing)
    assert "machine.torch" not in groups.differing
    others = [path for path in groups.differing if not path.startswith("machine.")]
    assert others == ["components.tokenizer.class"], "transformers 5 has another class for the same tokenizer"
    (compared,) = found.traces
    assert (compared.steps, compared.unobserved) == (2, [])
    assert compared.stage in {Stage.NOWHERE, Stage.TEXT, Stage.STEP, Stage.DECODING}, "the noise is the same"
