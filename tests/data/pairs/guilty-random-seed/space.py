import gradio as gr
import numpy as np
import spaces
import torch
from diffusers import FluxPipeline

pipe = FluxPipeline.from_pretrained("black-forest-labs/FLUX.1-schnell", torch_dtype=torch.bfloat16).to("cuda")
MAX_SEED = np.iinfo(np.int32).max


@spaces.GPU()
def infer(prompt, seed=3, randomize_seed=True, width=1024, height=1024, num_inference_steps=4):
    if randomize_seed:
        seed = np.random.randint(0, MAX_SEED)
    generator = torch.Generator().manual_seed(seed)
    image = pipe(
        prompt=prompt,
        width=width,
        height=height,
        num_inference_steps=num_inference_steps,
        generator=generator,
        guidance_scale=0.0,
        max_sequence_length=256,
    ).images[0]
    return image, seed


with gr.Blocks() as demo:
    prompt = gr.Text(label="Prompt")
    run = gr.Button("Run")
    result = gr.Image(label="Result")
    seed = gr.Slider(label="Seed", minimum=0, maximum=MAX_SEED, step=1, value=3)
    randomize_seed = gr.Checkbox(label="Randomize seed", value=True)
    width = gr.Slider(label="Width", minimum=256, maximum=2048, step=32, value=1024)
    height = gr.Slider(label="Height", minimum=256, maximum=2048, step=32, value=1024)
    steps = gr.Slider(label="Steps", minimum=1, maximum=50, step=1, value=4)
    gr.on(
        triggers=[run.click, prompt.submit],
        fn=infer,
        inputs=[prompt, seed, randomize_seed, width, height, steps],
        outputs=[result, seed],
    )
demo.launch()
