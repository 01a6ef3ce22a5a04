import os

import gradio as gr
import torch
from diffusers import HunyuanVideoPipeline, HunyuanVideoTransformer3DModel
from diffusers.utils import export_to_video

MODEL_ID = os.environ.get("MODEL_ID", "hunyuanvideo-community/HunyuanVideo")
body = HunyuanVideoTransformer3DModel.from_pretrained(MODEL_ID, subfolder="transformer", torch_dtype=torch.bfloat16)
pipe = HunyuanVideoPipeline.from_pretrained(MODEL_ID, transformer=body, torch_dtype=torch.float16)
pipe.enable_model_cpu_offload()
pipe.vae.enable_tiling()
SIZES = ["512x320", "960x544"]


def make(prompt, size, length, steps, seed):
    width, height = (int(each) for each in size.split("x"))
    noise = torch.Generator().manual_seed(int(seed))
    output = pipe(
        prompt, height=height, width=width, num_frames=length, num_inference_steps=steps, generator=noise
    )
    export_to_video(output.frames[0], "/tmp/clip.mp4", fps=15)
    return "/tmp/clip.mp4"


with gr.Blocks(title="Clips") as demo:
    with gr.Row():
        prompt = gr.Textbox(lines=3)
        size = gr.Dropdown(SIZES, value="512x320")
    length = gr.Slider(9, 129, value=61, step=4)
    steps = gr.Slider(1, 50, value=30, step=1)
    seed = gr.Number(value=7)
    clip = gr.Video()
    gr.Button().click(make, [prompt, size, length, steps, seed], clip)
demo.launch(show_error=True)
