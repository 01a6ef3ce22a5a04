"""A server's handler: nothing in the file calls it."""

import os

import torch
from diffusers import CogVideoXDDIMScheduler, DiffusionPipeline
from diffusers.utils import export_to_video

MODEL = os.environ.get("MODEL_ID", "THUDM/CogVideoX-2b")


class EndpointHandler:
    def __init__(self, path=""):
        self.pipe = DiffusionPipeline.from_pretrained(MODEL, torch_dtype=torch.float16, device_map="cuda")
        self.pipe.scheduler = CogVideoXDDIMScheduler.from_config(
            self.pipe.scheduler.config, snr_shift_scale=3.0, use_dynamic_cfg=True
        )
        self.pipe.use_dynamic_cfg = True

    def __call__(self, prompt: str, steps: int = 30, seed: int = 5):
        options = {"num_inference_steps": steps, **self.limits()}
        generator = torch.Generator(device=self.pipe.device).manual_seed(seed)
        frames = self.pipe(prompt, generator=generator, **options).frames[0]
        return export_to_video(frames, "/tmp/clip.mp4", fps=8)

    @staticmethod
    def limits():
        return {"num_frames": 49, "guidance_scale": 6.5}
