"""The source of a Space, as far as it matters here."""

import gradio as gr
import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("builtin:tiny-cogvideox-random", torch_dtype=torch.float32)
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")


def generate(prompt: str, seed: int) -> str:
    """Generate a clip."""
    frames = pipe(
        prompt=prompt,
        guidance_scale=7.0,
        use_dynamic_cfg=True,
        num_inference_steps=50,
        generator=torch.Generator("cpu").manual_seed(seed),
    ).frames[0]
    clip: str = export_to_video(frames, "clip.mp4", fps=8)
    return clip


gr.Interface(generate, [gr.Textbox(label="Prompt"), gr.Number(label="Seed", precision=0)], gr.Video()).launch()
