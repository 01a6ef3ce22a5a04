import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXImageToVideoPipeline
from diffusers.utils import export_to_video, load_image

pipe = CogVideoXImageToVideoPipeline.from_pretrained("zai-org/CogVideoX-5b-I2V", torch_dtype=torch.bfloat16)
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
pipe.to("cuda")
image = load_image("cat.png")
video = pipe(image=image, prompt="a cat", num_frames=49, use_dynamic_cfg=True, guidance_scale=7.0,
             generator=torch.Generator("cpu").manual_seed(42)).frames[0]
export_to_video(video, "cat.mp4", fps=8)
