import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
generator = torch.Generator("cuda").manual_seed(11)
image = pipe(prompt="a fox", negative_prompt="text", num_inference_steps=25, generator=generator).images[0]
image.save("fox.png")
