import torch
from diffusers import StableDiffusionPipeline

model = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16)
model = model.to("cuda")

images = model("a fox", generator=torch.Generator("cuda").manual_seed(9)).images
images[0].save("fox.png")
