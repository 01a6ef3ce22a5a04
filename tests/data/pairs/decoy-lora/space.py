import gradio as gr
import spaces
import torch
from diffusers import StableDiffusionXLPipeline

STYLES = {
    "watercolour": {"repo": "org/watercolour", "file": "pytorch_lora_weights.safetensors", "weight": 0.8},
}
DEFAULT = STYLES["watercolour"]
BASE = "stabilityai/stable-diffusion-xl-base-1.0"
pipe = StableDiffusionXLPipeline.from_pretrained(BASE, torch_dtype=torch.float16)
pipe.load_lora_weights(DEFAULT["repo"], weight_name=DEFAULT["file"], adapter_name="watercolour")
pipe.set_adapters(["watercolour"], adapter_weights=[DEFAULT["weight"]])
pipe = pipe.to("cuda:0")


@spaces.GPU
def paint(prompt: str, steps: int = 30, scale: float = 7.5, seed: int = 5):
    g = torch.Generator(device="cuda").manual_seed(seed)
    return pipe(prompt, num_inference_steps=steps, guidance_scale=scale, width=1024, height=1024, generator=g).images[0]


gr.Interface(
    paint,
    inputs=[gr.Textbox(), gr.Slider(1, 60, 30, step=1), gr.Slider(1, 15, 7.5), gr.Number(5, precision=0)],
    outputs="image",
).launch()
