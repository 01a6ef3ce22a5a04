"""Flux behind a class and a gr.Interface."""

import random
from dataclasses import dataclass

import gradio as gr
import torch
from diffusers import FluxPipeline

MAX_SEED = 2**32 - 1


@dataclass
class Config:
    model: str = "black-forest-labs/FLUX.1-dev"
    steps: int = 28
    guidance: float = 3.5
    device: str = "cuda"


class Painter:
    def __init__(self, config: Config):
        self.config = config
        self.pipe = FluxPipeline.from_pretrained(config.model, torch_dtype=torch.bfloat16)
        self.pipe.to(config.device)
        self.pipe.set_progress_bar_config(disable=True)

    def paint(self, prompt, seed, randomize, width, steps):
        if randomize:
            seed = random.randint(0, MAX_SEED)
        return self._run(prompt, int(seed), width, steps), seed

    def _run(self, prompt, seed, width, steps):
        generator = torch.Generator().manual_seed(seed)
        return self.pipe(
            prompt=prompt,
            width=width,
            height=1024,
            num_inference_steps=steps,
            guidance_scale=self.config.guidance,
            generator=generator,
        ).images[0]


config = Config(guidance=4.0)
painter = Painter(config)
demo = gr.Interface(
    fn=painter.paint,
    inputs=[
        gr.Textbox(label="Prompt", value="a lighthouse"),
        gr.Number(value=42, label="Seed"),
        gr.Checkbox(True, label="Random seed"),
        gr.Slider(256, 2048, value=1024, step=32, label="Width"),
        gr.Slider(minimum=1, maximum=50, label="Steps", value=config.steps),
    ],
    outputs=["image", "number"],
)
demo.launch()
