import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.float16).to("cuda")
import gradio as gr
def f(prompt, steps, scale, seed):
    frames = pipe(prompt, num_inference_steps=int(steps), guidance_scale=scale, generator=torch.Generator("cuda").manual_seed(int(seed))).frames[0]
    return export_to_video(frames, "a.mp4", fps=8)
gr.Interface(f, [gr.Textbox(), gr.Slider(1, 100, value=30), gr.Number(6.0), gr.Number(value=42)], gr.Video()).launch()
