import torch
import diffusers
from diffusers.utils import export_to_video
sched = diffusers.CogVideoXDDIMScheduler.from_pretrained("zai-org/CogVideoX-5b", subfolder="scheduler")
pipe = diffusers.CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", scheduler=sched, torch_dtype=torch.bfloat16).to("cuda")
with torch.inference_mode():
    v = pipe(prompt="x", num_frames=25, generator=[torch.Generator("cuda").manual_seed(i) for i in range(1)]).frames[0]
export_to_video(v, "a.mp4", 12)
