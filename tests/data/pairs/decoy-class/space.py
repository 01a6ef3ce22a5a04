import gradio as gr
import spaces
import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline
from diffusers.utils import export_to_video

NEGATIVE = "blurry, low quality"


class Generator:
    def __init__(self, name, shift=3.0):
        vae = AutoencoderKLWan.from_pretrained(name, subfolder="vae", torch_dtype=torch.float32)
        self.pipe = WanPipeline.from_pretrained(name, vae=vae, torch_dtype=torch.bfloat16)
        self.pipe.scheduler = UniPCMultistepScheduler.from_config(self.pipe.scheduler.config, flow_shift=shift)
        self.pipe.to("cuda")

    def run(self, prompt, negative, steps, guidance, seed):
        noise = torch.Generator(device="cuda").manual_seed(seed)
        return self.pipe(
            prompt=prompt,
            negative_prompt=negative,
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=noise,
        ).frames[0]


model = Generator("Wan-AI/Wan2.1-T2V-1.3B-Diffusers")


@spaces.GPU(duration=120)
def generate(prompt, negative, steps, guidance, seed):
    frames = model.run(prompt, negative, int(steps), guidance, int(seed))
    export_to_video(frames, "result.mp4", fps=16)
    return "result.mp4"


gr.Interface(
    generate,
    [
        gr.Textbox(label="Prompt"),
        gr.Textbox(value=NEGATIVE, label="Negative prompt"),
        gr.Slider(1, 100, value=50, step=1),
        gr.Slider(0, 10, value=5.0),
        gr.Number(value=0, precision=0, label="Seed"),
    ],
    gr.Video(),
).launch()
