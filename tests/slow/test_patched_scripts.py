"""Patched scripts are run over tiny checkpoints: they give the frames of the Space's script, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.other_pipelines import FAMILIES
from support.patching import compared
from support.paths import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # in diffusers
]
RUN = """
import runpy, sys
from spacediff.torchvision_shim import shim_torchvision

shim_torchvision()
runpy.run_path(sys.argv[1], run_name="__main__")
"""

COGVIDEOX = """
import numpy as np
import torch
from diffusers import CogVideoXPipeline

STEPS = 3
GUIDANCE = 6.0


class Lemon:
    def __init__(self, dtype=torch.float32):
        self.pipe = CogVideoXPipeline.from_pretrained("tiny", torch_dtype=dtype)

    def squeeze(self, seed=42):
        return self.pipe(
            prompt="a lemon",
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            num_frames=9,  # short
            output_type="np",
        ).frames[0]


torch.manual_seed(42)
np.save("frames.npy", Lemon().squeeze())
"""
COGVIDEOX_SPACE = """
import numpy as np
import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline

pipe = CogVideoXPipeline.from_pretrained("tiny", torch_dtype=torch.bfloat16)
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
pipe.vae.enable_tiling()
video = pipe("a lemon", num_inference_steps=4, guidance_scale=7.0, use_dynamic_cfg=True, num_frames=9, output_type="np",
             generator=torch.Generator("cpu").manual_seed(42)).frames[0]
np.save("frames.npy", video)
"""
WAN = """
import numpy as np
import torch
from diffusers import WanPipeline

options = {"height": 16, "width": 16, "num_frames": 5, "num_inference_steps": 2, "output_type": "np"}
embeddings = torch.load("embeddings.pt")
pipe = WanPipeline.from_pretrained("tiny", text_encoder=None, tokenizer=None, transformer_2=None,
                                   torch_dtype=torch.bfloat16)
video = pipe(prompt_embeds=embeddings, negative_prompt_embeds=-embeddings, **options,
             generator=torch.Generator().manual_seed(1)).frames[0]
np.save("frames.npy", video)
"""
WAN_SPACE = """
import numpy as np
import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline

embeddings = torch.load("embeddings.pt")
vae = AutoencoderKLWan.from_pretrained("tiny", subfolder="vae", torch_dtype=torch.float32)
pipe = WanPipeline.from_pretrained("tiny", text_encoder=None, tokenizer=None, transformer_2=None, vae=vae,
                                   torch_dtype=torch.bfloat16)
pipe.scheduler = UniPCMultistepScheduler.from_config(
    pipe.scheduler.config, prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
video = pipe(prompt_embeds=embeddings, negative_prompt_embeds=-embeddings, height=16, width=16, num_frames=9,
             num_inference_steps=3, guidance_scale=4.0, output_type="np",
             generator=torch.Generator().manual_seed(1)).frames[0]
np.save("frames.npy", video)
"""
STABLE_DIFFUSION = """
import numpy as np
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

embeddings = torch.load("embeddings.pt")
pipe = StableDiffusionPipeline.from_pretrained(
    "tiny", text_encoder=None, tokenizer=None, safety_checker=None, feature_extractor=None, image_encoder=None,
    torch_dtype=torch.float32)
pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
generator = torch.Generator().manual_seed(1)
images = pipe(prompt_embeds=embeddings, negative_prompt_embeds=-embeddings, height=32, width=32, guidance_scale=5.0,
              num_inference_steps=2, output_type="np", clip_skip=1, generator=generator).images
np.save("frames.npy", images)
"""
STABLE_DIFFUSION_SPACE = """
import numpy as np
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline

embeddings = torch.load("embeddings.pt")
pipe = StableDiffusionPipeline.from_pretrained(
    "tiny", text_encoder=None, tokenizer=None, safety_checker=None, feature_extractor=None, image_encoder=None,
    torch_dtype=torch.float32)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
pipe.vae.enable_slicing()
torch.manual_seed(1)
images = pipe(prompt_embeds=embeddings, negative_prompt_embeds=-embeddings, height=32, width=32, guidance_scale=7.0,
              num_inference_steps=4, output_type="np", eta=0.7).images
np.save("frames.npy", images)
"""
CASES = {
    "cogvideox": (COGVIDEOX, COGVIDEOX_SPACE),
    "wan": (WAN, WAN_SPACE),
    "stable-diffusion": (STABLE_DIFFUSION, STABLE_DIFFUSION_SPACE),
}
WIDTHS = {"wan": 32, "stable-diffusion": 16}


def save_checkpoint(family: str, folder: Path) -> None:
    """Put a tiny checkpoint into a folder, with embeddings for a pipeline without a text encoder."""
    if family == "cogvideox":
        (folder / "tiny").symlink_to(ensure_checkpoint(RANDOM))
        return
    pipeline, _ = FAMILIES[family]()
    pipeline.save_pretrained(folder / "tiny")
    generator = torch.Generator().manual_seed(3)
    torch.save(torch.randn(1, 6, WIDTHS[family], generator=generator), folder / "embeddings.pt")


def frames_of(script: str | bytes, name: str, folder: Path) -> bytes:
    """Run a script in a folder and return the frames that it saves."""
    (folder / name).write_bytes(script if isinstance(script, bytes) else script.encode())
    done = subprocess.run(
        [sys.executable, "-c", RUN, name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "harness"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    frames = (folder / "frames.npy").read_bytes()
    (folder / "frames.npy").unlink()
    return frames


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("family", CASES)
def test_a_patched_script_gives_the_frames_of_the_space(family: str, tmp_path: Path) -> None:
    script, space = CASES[family]
    folder, patched = tmp_path / "run", tmp_path / "patched"
    folder.mkdir()
    patched.mkdir()
    save_checkpoint(family, folder)
    original = frames_of(script, "script.py", folder)
    wanted = frames_of(space, "space.py", folder)
    pair = compared(folder / "script.py", folder / "space.py")
    assert pair.advice.by_hand == {}
    assert original != wanted
    assert frames_of(pair.patched(patched), "script.py", folder) == wanted, pair.advice.patch
