import torch
from diffusers import MochiPipeline
from diffusers.utils import export_to_video

pipe = MochiPipeline.from_pretrained("genmo/mochi-1-preview", torch_dtype=torch.bfloat16)
pipe.enable_vae_tiling()
pipe.to("cuda")
frames = pipe("a spoon", num_frames=84, guidance_scale=4.0, num_inference_steps=64).frames[0]
export_to_video(frames, "mochi.mp4", fps=30)
