import torch
from diffusers import LTXPipeline
from diffusers.utils import export_to_video

SIZE = (768, 512)
width, height = SIZE
pipe = LTXPipeline.from_pretrained("Lightricks/LTX-Video", torch_dtype=torch.bfloat16)
pipe = pipe.to("cuda")
pipe.enable_vae_slicing()
video = pipe(
    prompt="a river",
    width=width,
    height=height,
    num_frames=8 * 20 + 1,
    decode_timestep=0.05,
    num_inference_steps=50,
    generator=torch.Generator("cuda").manual_seed(1)
).frames[0]
export_to_video(video, "river.mp4", fps=24)
