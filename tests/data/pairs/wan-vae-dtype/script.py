import torch
from diffusers import AutoencoderKLWan, FlowMatchEulerDiscreteScheduler, WanPipeline
from diffusers.utils import export_to_video

model_id = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"
vae = AutoencoderKLWan.from_pretrained(model_id, subfolder="vae", torch_dtype=torch.bfloat16)
scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(model_id, subfolder="scheduler", shift=8.0)
pipe = WanPipeline.from_pretrained(model_id, vae=vae, scheduler=scheduler, torch_dtype=torch.bfloat16)
pipe.to("cuda")
NEGATIVE = "worst quality"
video = pipe(prompt="waves", negative_prompt=NEGATIVE, height=480, width=640, num_frames=65, guidance_scale=5.0,
             num_inference_steps=40, generator=torch.Generator(device="cpu").manual_seed(0)).frames[0]
export_to_video(video, "waves.mp4", fps=16)
