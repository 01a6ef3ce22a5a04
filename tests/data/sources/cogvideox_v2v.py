import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXVideoToVideoPipeline
from diffusers.utils import export_to_video, load_video

settings = dict(strength=0.8, guidance_scale=6, num_inference_steps=50)
settings["height"] = 480
settings.update({"width": 720, "num_inference_steps": 40})

pipe = CogVideoXVideoToVideoPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16)
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config)
pipe.to("cuda:0")
pipe.load_lora_weights("someone/water-lora", weight_name="water.safetensors", adapter_name="water")
pipe.set_adapters(["water"], [0.7])
pipe.fuse_lora(lora_scale=0.9)

clip = load_video("hiker.mp4")
rng = torch.Generator("cuda")
rng.manual_seed(7)
result = pipe(video=clip, prompt="An astronaut stands on a cliff", generator=rng, **settings)
export_to_video(result.frames[0], "astronaut.mp4")
