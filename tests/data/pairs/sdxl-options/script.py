import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16, use_safetensors=True)
pipe.scheduler = DPMSolverMultistepScheduler.from_config(
    pipe.scheduler.config,
    algorithm_type="dpmsolver++",
    use_karras_sigmas=False,  # as on the model card
)
pipe.to("cuda")
image = pipe("a castle", negative_prompt="ugly", guidance_scale=7.5, original_size=(1024, 1024),
             generator=torch.Generator("cuda").manual_seed(0)).images[0]
