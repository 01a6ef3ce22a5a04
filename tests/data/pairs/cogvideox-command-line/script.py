import argparse

import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

parser = argparse.ArgumentParser()
parser.add_argument("--prompt", default="a panda")
parser.add_argument("--num_inference_steps", type=int, default=25)
parser.add_argument("--seed", type=int, default=42)
args = parser.parse_args()

pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.bfloat16)
pipe.to("cuda")
pipe.vae.enable_slicing()
video = pipe(
    prompt=args.prompt,
    num_inference_steps=args.num_inference_steps,
    guidance_scale=6.0,
    generator=torch.Generator("cuda").manual_seed(args.seed),
).frames[0]
export_to_video(video, "out.mp4", fps=8)
