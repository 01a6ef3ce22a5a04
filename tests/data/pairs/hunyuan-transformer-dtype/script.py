import torch
from diffusers import HunyuanVideoPipeline
from diffusers.utils import export_to_video

pipe = HunyuanVideoPipeline.from_pretrained("hunyuanvideo-community/HunyuanVideo", torch_dtype=torch.float16)
pipe.to("cuda")
output = pipe(prompt="a dog", height=320, width=512, num_frames=61, num_inference_steps=30,
              generator=torch.Generator("cuda").manual_seed(2)).frames[0]
export_to_video(output, "dog.mp4", fps=15)
