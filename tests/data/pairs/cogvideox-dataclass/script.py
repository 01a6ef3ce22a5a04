from dataclasses import dataclass

import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video


@dataclass
class Settings:
    steps: int = 20
    scale: float = 6.5
    frames: int = 33
    fps: int = 24


settings = Settings()
pipe = CogVideoXPipeline.from_pretrained(
    "zai-org/CogVideoX-5b",
    torch_dtype=torch.bfloat16,
    revision="refs/pr/1",
)
pipe.to("cuda")
torch.manual_seed(3)
video = pipe("rain", num_inference_steps=settings.steps, guidance_scale=settings.scale, num_frames=settings.frames)
export_to_video(video.frames[0], "rain.mp4", fps=settings.fps)
