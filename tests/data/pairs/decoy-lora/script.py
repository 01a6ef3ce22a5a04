import torch
from diffusers import StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16, variant="fp16", use_safetensors=True
).to("cuda")
pipe.load_lora_weights("org/watercolour", weight_name="pytorch_lora_weights.safetensors", adapter_name="style")
pipe.set_adapters(["style"], adapter_weights=[0.8])
image = pipe(
    prompt="a harbour",
    num_inference_steps=30,
    guidance_scale=7.5,
    generator=torch.Generator("cuda").manual_seed(5),
).images[0]
image.save("harbour.png")
