import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-base-1.0",
    torch_dtype=torch.float16,
    variant="fp16",
    use_safetensors=True,
)
# faster
pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config, use_karras_sigmas=True)
pipe.to("cuda")
for number in range(1):
    image = pipe("a castle", num_inference_steps=20, generator=torch.Generator("cpu").manual_seed(0)).images[0]
    image.save(f"castle-{number}.png")
