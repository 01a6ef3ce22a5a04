import gradio as gr
import torch
from diffusers import EulerAncestralDiscreteScheduler, StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16, variant="fp16", use_safetensors=True
)
pipe.scheduler = EulerAncestralDiscreteScheduler.from_config(pipe.scheduler.config)
pipe.to("cuda")


def generate(prompt, guidance):
    return pipe(
        prompt,
        negative_prompt="ugly",
        width=1024,
        height=1024,
        guidance_scale=guidance,
        num_inference_steps=28,
        generator=torch.Generator("cuda").manual_seed(0),
    ).images[0]


gr.Interface(generate, [gr.Textbox(), gr.Slider(1, 20, value=6.5)], gr.Image()).launch()
