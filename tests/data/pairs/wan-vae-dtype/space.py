import gradio as gr
import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline
from diffusers.utils import export_to_video

MODEL = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"
vae = AutoencoderKLWan.from_pretrained("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", subfolder="vae", torch_dtype=torch.float32)
pipe = WanPipeline.from_pretrained(MODEL, vae=vae, torch_dtype=torch.bfloat16)
pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config, flow_shift=3.0)
pipe.to("cuda")


def run(prompt, steps):
    frames = pipe(
        prompt=prompt,
        negative_prompt="blurry, low quality",
        height=480,
        width=832,
        num_frames=81,
        guidance_scale=5.0,
        num_inference_steps=int(steps),
        generator=torch.Generator("cuda").manual_seed(0),
    ).frames[0]
    export_to_video(frames, "out.mp4", fps=16)
    return "out.mp4"


gr.Interface(run, [gr.Textbox(), gr.Slider(10, 60, value=40)], gr.Video()).launch()
