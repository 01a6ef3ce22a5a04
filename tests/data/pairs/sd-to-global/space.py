import torch
from diffusers import StableDiffusionPipeline

torch.manual_seed(11)
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
image = pipe(prompt="a fox", num_inference_steps=40, guidance_scale=9.0).images[0]
image.save("fox.png")
