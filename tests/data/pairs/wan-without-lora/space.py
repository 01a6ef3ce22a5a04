import torch
from diffusers import WanPipeline
from diffusers.utils import export_to_video

pipe = WanPipeline.from_pretrained("Wan-AI/Wan2.1-T2V-14B-Diffusers", torch_dtype=torch.bfloat16)
pipe.to("cuda")
frames = pipe("a kite", num_inference_steps=50, num_frames=81, generator=torch.Generator("cuda").manual_seed(5)).frames[0]
export_to_video(frames, "kite.mp4", fps=16)
