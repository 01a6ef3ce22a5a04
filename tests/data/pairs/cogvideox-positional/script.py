import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.float16).to("cuda")

from types import SimpleNamespace
args = SimpleNamespace(steps=30, guidance=6.0, fps=10)
fps = 8
frames = pipe("x", None, 480, 720, 3 * fps + 1, args.steps, guidance_scale=args.guidance, generator=torch.Generator(device="cuda").manual_seed(2)).frames[0]
export_to_video(frames, output_video_path="a.mp4", fps=args.fps)
