import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline
from diffusers.utils import export_to_video

torch.backends.cuda.matmul.allow_tf32 = True

model_id = "Wan-AI/Wan2.1-T2V-14B-Diffusers"
flow_shift = 5.0 if "14B" in model_id else 3.0
vae = AutoencoderKLWan.from_pretrained(model_id, subfolder="vae", torch_dtype=torch.float32)
scheduler = UniPCMultistepScheduler(
    prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=flow_shift
)
pipe = WanPipeline.from_pretrained(model_id, vae=vae, torch_dtype=torch.bfloat16)
pipe.scheduler = scheduler
pipe.to("cuda")
pipe.transformer = torch.compile(pipe.transformer, mode="max-autotune")

output = pipe(
    prompt="A cat walks on the grass",
    negative_prompt="static, overexposed",
    height=720,
    width=1280,
    num_frames=81,
    guidance_scale=5.0,
    generator=torch.manual_seed(3),
).frames[0]
export_to_video(output, "cat.mp4", fps=16)
