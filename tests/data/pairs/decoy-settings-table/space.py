import gradio as gr
import spaces
import torch
from diffusers import LTXPipeline
from diffusers.utils import export_to_video

CONFIG = {
    "model": "Lightricks/LTX-Video",
    "size": {"width": 704, "height": 480},
    "frames": 161,
    "sampling": {"num_inference_steps": 50, "guidance_scale": 3.0},
    "fps": 24,
}
device = "cuda" if torch.cuda.is_available() else "cpu"
pipe = LTXPipeline.from_pretrained(CONFIG["model"], torch_dtype=torch.bfloat16)
pipe.to(device)


@spaces.GPU
def run(prompt, negative_prompt="worst quality", seed=10):
    generator = torch.Generator(device=device).manual_seed(seed)
    result = pipe(
        prompt=prompt,
        negative_prompt=negative_prompt,
        num_frames=CONFIG["frames"],
        generator=generator,
        **CONFIG["size"],
        **CONFIG["sampling"],
    )
    export_to_video(result.frames[0], "ltx.mp4", fps=CONFIG["fps"])
    return "ltx.mp4"


with gr.Blocks() as demo:
    text = gr.Textbox()
    negative = gr.Textbox(value="worst quality")
    seed = gr.Slider(0, 1000, value=10, step=1)
    out = gr.Video()
    gr.Button("Run").click(fn=run, inputs=[text, negative, seed], outputs=out)
demo.launch()
