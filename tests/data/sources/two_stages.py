import torch
from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline

base = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16)
refiner = StableDiffusionXLImg2ImgPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-refiner-1.0",
    text_encoder_2=base.text_encoder_2,
    vae=base.vae,
    torch_dtype=torch.float16,
)
base.to("cuda")
refiner.to("cuda")
base.vae.enable_slicing()

latent = base("a lion", output_type="latent", generator=torch.Generator("cuda").manual_seed(9)).images
image = refiner("a lion", image=latent, strength=0.3, generator=torch.Generator("cpu").manual_seed(10)).images[0]
image.save("lion.png")
