import torch
from diffusers import DiffusionPipeline
from diffusers.utils import export_to_video
pipe = DiffusionPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype="float16")
pipe.to("cuda")
steps = 30
v = pipe("x", num_inference_steps=steps, generator=torch.manual_seed(3)).frames[0]
export_to_video(v, f"out_{steps}.mp4", fps=10)
