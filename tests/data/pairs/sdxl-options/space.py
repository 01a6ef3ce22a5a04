import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16, variant="fp16", use_safetensors=True)
pipe.scheduler = DPMSolverMultistepScheduler.from_config(
    pipe.scheduler.config, algorithm_type="sde-dpmsolver++", use_karras_sigmas=True)
pipe.to("cuda")
image = pipe("a castle", guidance_scale=6.0, original_size=(2048, 2048), clip_skip=2,
             generator=torch.Generator("cuda").manual_seed(0)).images[0]
