import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

DEFAULTS = dict(guidance_scale=6.0, num_frames=25)
def get():
    return CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.float16).to("cuda")
def go(**kw):
    p = get()
    return p("x", **{**DEFAULTS, **kw, "num_inference_steps": 20}).frames[0]
export_to_video(go(generator=torch.Generator("cuda").manual_seed(1)), "a.mp4", fps=10)
