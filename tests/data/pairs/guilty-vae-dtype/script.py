import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline
from diffusers.utils import export_to_video

model_id = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"
vae = AutoencoderKLWan.from_pretrained(model_id, subfolder="vae", torch_dtype=torch.float32)
pipe = WanPipeline.from_pretrained(model_id, vae=vae, torch_dtype=torch.bfloat16)
pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config, flow_shift=3.0)
pipe.to("cuda")
output = pipe(
    prompt="a kite over a field",
    negative_prompt="blurry, low quality",
    height=480,
    width=832,
    num_frames=81,
    guidance_scale=5.0,
    generator=torch.Generator("cuda").manual_seed(0),
).frames[0]
export_to_video(output, "out.mp4", fps=16)
