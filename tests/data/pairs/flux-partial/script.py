import functools

import torch
from diffusers import FluxPipeline

pipe = FluxPipeline.from_pretrained("black-forest-labs/FLUX.1-dev", torch_dtype=torch.float16).to("cuda")
draw = functools.partial(pipe, height=512, width=512, num_inference_steps=20)
image = draw("a tree", guidance_scale=4.0, generator=torch.Generator("cpu").manual_seed(0)).images[0]
image.save("tree.png")
