import torch
from diffusers import WanPipeline
from diffusers.utils import export_to_video

pipe = WanPipeline.from_pretrained("Wan-AI/Wan2.2-T2V-A14B-Diffusers", torch_dtype=torch.bfloat16)
pipe.enable_model_cpu_offload()
frames = pipe(
    prompt="two otters",
    height=480,
    width=832,
    num_frames=81,
    guidance_scale=4.0,
    guidance_scale_2=3.0,
    num_inference_steps=40,
    generator=torch.Generator("cpu").manual_seed(11),
).frames[0]
export_to_video(frames, "otters.mp4", fps=16)
