import torch
from diffusers import WanPipeline
from diffusers.utils import export_to_video

pipe = WanPipeline.from_pretrained("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", torch_dtype=torch.bfloat16)
pipe.to("cuda")
output = pipe(
    prompt="a cat walks",
    height=480,
    width=832,
    num_frames=81,
    guidance_scale=6.0,
    generator=torch.Generator("cuda").manual_seed(0),
).frames[0]
export_to_video(output, "output.mp4", fps=15)
