import torch
from diffusers import EulerAncestralDiscreteScheduler, StableDiffusionPipeline

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
pipe = StableDiffusionPipeline.from_pretrained(
    "stable-diffusion-v1-5/stable-diffusion-v1-5",
    torch_dtype=torch.float16,
    variant="fp16",
    safety_checker=None,
    use_safetensors=True,
)
pipe.scheduler = EulerAncestralDiscreteScheduler.from_config(pipe.scheduler.config, use_karras_sigmas=True)
pipe = pipe.to(device)
pipe.enable_xformers_memory_efficient_attention()

generators = [torch.Generator(device="cuda").manual_seed(seed) for seed in [11, 12]]
images = pipe(["an owl", "a fox"], num_inference_steps=30, guidance_scale=7.5, generator=generators).images
for index, image in enumerate(images):
    image.save(f"out_{index}.png")
