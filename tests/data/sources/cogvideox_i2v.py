"""Animate a picture with CogVideoX, settings at the top."""

from pathlib import Path

import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXImageToVideoPipeline
from diffusers.utils import export_to_video, load_image

BASE = "THUDM"
SIZE = "5b"
STEPS = 25 * 2
SEED = 1234
PROMPT = f"A paper boat drifts down a gutter, model {SIZE}"
NEGATIVE = "blurry, " + "washed out"


def load(model_id, dtype=torch.float16):
    pipeline = CogVideoXImageToVideoPipeline.from_pretrained(model_id, torch_dtype=dtype, revision="refs/pr/3")
    pipeline.scheduler = CogVideoXDPMScheduler.from_config(pipeline.scheduler.config, timestep_spacing="linspace")
    pipeline.scheduler = CogVideoXDPMScheduler.from_config(pipeline.scheduler.config, timestep_spacing="trailing")
    pipeline.enable_sequential_cpu_offload()
    pipeline.enable_vae_tiling()
    return pipeline


def main():
    pipe = load(f"{BASE}/CogVideoX-{SIZE}-I2V", torch.bfloat16)
    torch.manual_seed(SEED)
    image = load_image("boat.png")
    frames = pipe(
        image,
        PROMPT,
        negative_prompt=NEGATIVE,
        num_inference_steps=STEPS,
        guidance_scale=6.0,
        use_dynamic_cfg=True,
    ).frames[0]
    export_to_video(frames, str(Path("out") / "boat.mp4"), fps=16, quality=8)


if __name__ == "__main__":
    main()
