import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.float16)
pipe.to("cuda")

video = pipe("a panda plays the guitar", num_inference_steps=25, generator=torch.Generator("cuda").manual_seed(42)).frames[0]
export_to_video(video, "output.mp4", fps=16)
