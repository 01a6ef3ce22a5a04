import gradio as gr
import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-2b", torch_dtype=torch.float16).to("cuda")
pipe.vae.enable_tiling()


def generate(prompt, num_inference_steps, guidance_scale, seed):
    video = pipe(
        prompt=prompt,
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
        num_frames=49,
        generator=torch.Generator(device="cuda").manual_seed(seed),
    ).frames[0]
    export_to_video(video, "out.mp4", fps=8)
    return "out.mp4"


demo = gr.Interface(
    fn=generate,
    inputs=[
        gr.Textbox(label="Prompt"),
        gr.Slider(1, 100, 50, step=1, label="Inference steps"),
        gr.Slider(0, 20, 6.0, label="Guidance scale"),
        gr.Number(42, precision=0, label="Seed"),
    ],
    outputs=gr.Video(),
)
demo.launch()
