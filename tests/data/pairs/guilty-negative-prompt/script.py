import torch
from diffusers import LTXPipeline
from diffusers.utils import export_to_video

pipe = LTXPipeline.from_pretrained("Lightricks/LTX-Video", torch_dtype=torch.bfloat16).to("cuda")
video = pipe(
    prompt="a boat",
    negative_prompt="worst quality",
    width=704,
    height=480,
    num_frames=161,
    num_inference_steps=50,
    guidance_scale=3,
    generator=torch.Generator("cuda").manual_seed(10),
).frames[0]
export_to_video(video, "output.mp4", fps=24)
