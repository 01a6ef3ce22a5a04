"""What a visitor of the Space runs at home."""

import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained(
    "builtin:tiny-cogvideox-random", torch_dtype=torch.float32, use_dynamic_cfg=True
)

frames = pipe(
    prompt="a lemon",
    guidance_scale=6.0,
    num_inference_steps=50,
    generator=torch.Generator("cpu").manual_seed(42),
).frames[0]
export_to_video(frames, "mine.mp4", fps=8)
