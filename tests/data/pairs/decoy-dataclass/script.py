from dataclasses import dataclass

import torch
from diffusers import HunyuanVideoPipeline, HunyuanVideoTransformer3DModel
from diffusers.utils import export_to_video


@dataclass
class Settings:
    model: str = "hunyuanvideo-community/HunyuanVideo"
    height: int = 320
    width: int = 512
    frames: int = 61
    steps: int = 30
    seed: int = 7


def load(settings):
    transformer = HunyuanVideoTransformer3DModel.from_pretrained(
        settings.model, subfolder="transformer", torch_dtype=torch.bfloat16
    )
    pipe = HunyuanVideoPipeline.from_pretrained(settings.model, transformer=transformer, torch_dtype=torch.float16)
    pipe.vae.enable_tiling()
    pipe.enable_model_cpu_offload()
    return pipe


def main(settings=Settings()):
    pipe = load(settings)
    video = pipe(
        prompt="a cat walks on the grass",
        height=settings.height,
        width=settings.width,
        num_frames=settings.frames,
        num_inference_steps=settings.steps,
        generator=torch.Generator("cpu").manual_seed(settings.seed),
    ).frames[0]
    export_to_video(video, "output.mp4", fps=15)


main()
