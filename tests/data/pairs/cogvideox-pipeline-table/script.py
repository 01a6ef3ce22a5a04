import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

def build(half=True):
    pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b")
    if half:
        pipe = pipe.to(dtype=torch.float16)
    pipe.to("cuda")
    return pipe
PIPES = {"t2v": build()}
def run(name, n=10, scale=6.):
    return PIPES[name](prompt="x", num_inference_steps=n, guidance_scale=scale, generator=torch.Generator("cuda").manual_seed(5)).frames[0]
export_to_video(run("t2v"), "a.mp4")
