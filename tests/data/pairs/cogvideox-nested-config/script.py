import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.float16)
pipe = pipe.to("cuda")
pipe.scheduler = __import__("diffusers").CogVideoXDPMScheduler.from_config(pipe.scheduler.config)
if torch.cuda.is_available(): pipe.vae.enable_slicing()
cfg = {"model": {"steps": 10, "scale": [6.0, 7.5]}, "fps": 10}
g = torch.Generator(device=pipe.device)
g.manual_seed(5)
frames = pipe("x", num_inference_steps=cfg["model"]["steps"], guidance_scale=cfg["model"]["scale"][0], use_dynamic_cfg=not True, generator=g).frames[0]
export_to_video(frames, "a.mp4", fps=cfg["fps"])
