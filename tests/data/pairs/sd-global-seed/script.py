import torch
from diffusers import PNDMScheduler, StableDiffusionPipeline

def seed_everything(seed: int) -> None:
    torch.manual_seed(seed)

seed_everything(9)
scheduler = PNDMScheduler.from_pretrained("runwayml/stable-diffusion-v1-5", subfolder="scheduler")
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", scheduler=scheduler,
                                               torch_dtype=torch.float32).to("cuda")
pipe("a fox", num_inference_steps=25).images[0].save("fox.png")
