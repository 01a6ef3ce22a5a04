import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video


class Config:
    model = "zai-org/CogVideoX-5b"
    steps = 28
    guidance = 5.0
    fps = 10


class Generator:
    """Makes clips."""

    def __init__(self, config):
        self.config = config
        self.pipe = CogVideoXPipeline.from_pretrained(config.model, torch_dtype=torch.bfloat16)
        self.pipe.to("cuda")

    def __call__(self, prompt, seed=42):
        return self.pipe(
            prompt=prompt,
            num_inference_steps=self.config.steps,
            guidance_scale=self.config.guidance,
            num_frames=49,
            generator=torch.Generator("cpu").manual_seed(seed),
        ).frames[0]


config = Config()
frames = Generator(config)("a lemon")
export_to_video(frames, "lemon.mp4", fps=config.fps)
