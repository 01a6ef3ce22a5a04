import torch
from diffusers import StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0").to("cuda")
image = pipe("a castle", generator=torch.Generator("cuda").manual_seed(0)).images[0]
image.save("castle.png")
