import gradio as gr
import spaces
import torch
from diffusers import FluxPipeline

pipe = FluxPipeline.from_pretrained("black-forest-labs/FLUX.1-dev", torch_dtype=torch.bfloat16).to("cuda")


@spaces.GPU
def infer(prompt, seed=0, width=1024, height=1024, guidance_scale=3.5, num_inference_steps=28):
    return pipe(
        prompt=prompt,
        width=width,
        height=height,
        num_inference_steps=num_inference_steps,
        generator=torch.Generator().manual_seed(seed),
        guidance_scale=guidance_scale,
        max_sequence_length=256,
    ).images[0]


with gr.Blocks() as demo:
    prompt, seed = gr.Text(), gr.Slider(0, 100, value=0)
    width, height = gr.Slider(256, 2048, value=1024), gr.Slider(256, 2048, value=1024)
    scale, steps = gr.Slider(1, 15, value=3.5), gr.Slider(1, 50, value=28)
    gr.Button().click(infer, [prompt, seed, width, height, scale, steps], gr.Image())
demo.launch()
