import torch
from diffusers import CogVideoXDDIMScheduler, CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
pipe.scheduler = CogVideoXDDIMScheduler.from_config(pipe.scheduler.config, timestep_spacing="leading")
pipe.enable_vae_tiling()

options = {
    "num_inference_steps": 40,
    "guidance_scale": 6,
    "num_frames": 25,
}
options["use_dynamic_cfg"] = False
generator = torch.Generator("cuda").manual_seed(1)
result = pipe("a cat", generator=generator, **options)
export_to_video(result.frames[0], "cat.mp4", fps=8)
