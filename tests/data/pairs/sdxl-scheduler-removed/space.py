import torch
from diffusers import StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16, variant="fp16", use_safetensors=True
).to("cuda")
image = pipe("a castle", num_inference_steps=50, generator=torch.Generator("cuda").manual_seed(0)).images[0]
image.save("castle.png")
