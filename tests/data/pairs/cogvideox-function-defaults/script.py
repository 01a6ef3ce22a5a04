import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video


def load(dtype=torch.float32):
    return CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=dtype).to("cuda")


def generate(pipe, prompt, steps=30, guidance_scale=6.0, frames=49, seed=42):
    return pipe(
        prompt=prompt,
        num_inference_steps=steps,
        guidance_scale=guidance_scale,
        num_frames=frames,
        generator=torch.Generator(device="cuda").manual_seed(seed),
    ).frames[0]


pipe = load()
pipe.vae.enable_slicing()
export_to_video(generate(pipe, "a horse"), "horse.mp4", fps=8)
