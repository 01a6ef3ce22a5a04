import torch
from diffusers import WanPipeline
from diffusers.utils import export_to_video

pipe = WanPipeline.from_pretrained("Wan-AI/Wan2.1-T2V-14B-Diffusers", torch_dtype=torch.bfloat16)
# a style of my own
pipe.load_lora_weights("me/style", adapter_name="style")
pipe.fuse_lora(lora_scale=0.7)
pipe.to("cuda")
frames = pipe("a kite", num_inference_steps=30, num_frames=81, generator=torch.Generator("cuda").manual_seed(5)).frames[0]
export_to_video(frames, "kite.mp4", fps=16, quality=9)
