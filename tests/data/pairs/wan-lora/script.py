import torch
from diffusers import UniPCMultistepScheduler, WanPipeline
from diffusers.utils import export_to_video

pipe = WanPipeline.from_pretrained("Wan-AI/Wan2.1-T2V-14B-Diffusers", torch_dtype=torch.bfloat16)
pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config, flow_shift=5.0)
pipe.load_lora_weights("org/lightning", weight_name="model.safetensors", adapter_name="lightning")
pipe.set_adapters(["lightning"], adapter_weights=[0.8])
pipe.to("cuda")
frames = pipe("a kite", num_inference_steps=8, guidance_scale=1.0, num_frames=81,
              generator=torch.Generator("cuda").manual_seed(5)).frames[0]
export_to_video(frames, "kite.mp4", fps=16)
