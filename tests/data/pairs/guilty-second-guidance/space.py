import gradio as gr
import torch
from diffusers import WanPipeline
from diffusers.utils import export_to_video

DEFAULTS = {"guidance_scale": 4.0, "guidance_scale_2": 4.0, "num_inference_steps": 40}
pipe = WanPipeline.from_pretrained("Wan-AI/Wan2.2-T2V-A14B-Diffusers", torch_dtype=torch.bfloat16).to("cuda")


def video_of(prompt, guidance_high, guidance_low, steps, seed):
    output = pipe(
        prompt=prompt,
        height=480,
        width=832,
        num_frames=81,
        guidance_scale=guidance_high,
        guidance_scale_2=guidance_low,
        num_inference_steps=int(steps),
        generator=torch.Generator().manual_seed(int(seed)),
    )
    export_to_video(output.frames[0], "wan.mp4", fps=16)
    return "wan.mp4"


with gr.Blocks() as demo:
    prompt = gr.Textbox()
    high = gr.Slider(0, 10, value=DEFAULTS["guidance_scale"])
    low = gr.Slider(0, 10, value=DEFAULTS["guidance_scale_2"])
    steps = gr.Slider(1, 60, value=DEFAULTS["num_inference_steps"], step=1)
    seed = gr.Number(value=11)
    result = gr.Video()
    gr.Button("Go").click(video_of, [prompt, high, low, steps, seed], result)
demo.launch()
