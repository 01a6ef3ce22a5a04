import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16)
pipe.enable_model_cpu_offload()
video = pipe("a stork", num_inference_steps=50, generator=torch.Generator("cpu").manual_seed(8)).frames[0]
export_to_video(video, "stork.mp4", fps=8)
