try:
    import torch
except ImportError:
    raise SystemExit("no torch")
import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

from typing import NamedTuple
class Opt(NamedTuple):
    steps: int = 25
    scale: float = 5.5
async def main(o=Opt()):
    pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b"); pipe.to(torch.float16); pipe.to("cuda")
    pipe.enable_sequential_cpu_offload()
    for i in range(2):
        frames = pipe("x", num_inference_steps=o.steps, guidance_scale=o.scale, generator=torch.Generator("cuda").manual_seed(2)).frames[0]
        export_to_video(frames, f"a{i}.mp4", fps=10)
import asyncio
asyncio.run(main())
