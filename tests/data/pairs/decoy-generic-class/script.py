import torch
from diffusers import DiffusionPipeline

pipe = DiffusionPipeline.from_pretrained("black-forest-labs/FLUX.1-schnell", torch_dtype=torch.bfloat16)
pipe = pipe.to("cuda")
image = pipe(
    "a red door",
    num_inference_steps=4,
    guidance_scale=0.0,
    max_sequence_length=256,
    generator=torch.Generator("cpu").manual_seed(3),
).images[0]
image.save("door.png")
