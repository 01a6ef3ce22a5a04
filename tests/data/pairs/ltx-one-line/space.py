import torch
from diffusers import LTXPipeline
from diffusers.utils import export_to_video

pipe = LTXPipeline.from_pretrained("Lightricks/LTX-Video", torch_dtype=torch.bfloat16).to("cuda")
pipe.vae.enable_tiling()


def generate(prompt: str, seed: int = 1):
    video = pipe(
        prompt=prompt,
        negative_prompt="worst quality, inconsistent motion",
        width=704,
        height=480,
        num_frames=161,
        num_inference_steps=50,
        guidance_scale=3.0,
        decode_timestep=0.03,
        decode_noise_scale=0.025,
        generator=torch.Generator("cuda").manual_seed(seed),
    ).frames[0]
    return export_to_video(video, "out.mp4", fps=24)
