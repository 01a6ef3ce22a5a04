import gradio as gr
import spaces
import torch
from diffusers import CogVideoXImageToVideoPipeline
from diffusers.utils import export_to_video

from upscaling import upscale_frames

pipe = CogVideoXImageToVideoPipeline.from_pretrained("zai-org/CogVideoX-5b-I2V", torch_dtype=torch.bfloat16)
pipe = pipe.to("cuda")


@spaces.GPU(duration=240)
def animate(image, prompt, steps, guidance, seed, larger):
    frames = pipe(
        image=image,
        prompt=prompt,
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=torch.Generator(device="cuda").manual_seed(seed),
    ).frames[0]
    if larger:
        frames = upscale_frames(frames)
    export_to_video(frames, "animated.mp4", fps=8)
    return "animated.mp4"


with gr.Blocks() as demo:
    image = gr.Image(type="pil")
    prompt = gr.Textbox()
    steps = gr.Slider(10, 60, value=50, step=1)
    guidance = gr.Slider(1, 12, value=6)
    seed = gr.Number(value=1234, precision=0)
    larger = gr.Checkbox(label="Upscale", value=True)
    video = gr.Video()
    gr.Button("Animate").click(animate, [image, prompt, steps, guidance, seed, larger], video)
demo.launch()
