import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline

torch.backends.cuda.matmul.allow_tf32 = True
pipe = StableDiffusionPipeline.from_pretrained(
    "runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16, safety_checker=None, requires_safety_checker=False
)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe.to("cuda")
image = pipe("a fox", num_inference_steps=30, guidance_scale=8.0, eta=0.5,
             generator=torch.Generator("cuda").manual_seed(9)).images[0]
image.save("fox.png")
