import torch
from diffusers import MochiPipeline
from diffusers.utils import export_to_video


def generate(prompt, *, frames=85, steps=64, scale=4.5, seed=0, variant="bf16", **extra):
    pipe = MochiPipeline.from_pretrained("genmo/mochi-1-preview", variant=variant, torch_dtype=torch.bfloat16)
    pipe.enable_model_cpu_offload()
    pipe.enable_vae_tiling()
    with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
        return pipe(
            prompt=prompt,
            num_frames=frames,
            num_inference_steps=steps,
            guidance_scale=scale,
            generator=torch.Generator(device="cpu").manual_seed(seed),
            **extra,
        ).frames[0]


video = generate("A chameleon in close-up", steps=50, height=480, max_sequence_length=256)
export_to_video(video, "mochi.mp4", fps=30)
