"""The Space of the tests: the tiny one, with fewer steps than the demo where their number is not the point."""

SPACE_STEPS = 12

APP = """import gradio as gr
import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline
from diffusers.utils import export_to_gif, export_to_video

pipe = CogVideoXPipeline.from_pretrained("org/tiny", torch_dtype=torch.float32).to("cpu")
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")


def generate(prompt, image_input, video_input, video_strength, seed_value, scale_status, rife_status,
             progress=gr.Progress(track_tqdm=True)):
    frames = pipe(
        prompt=prompt,
        use_dynamic_cfg=True,
        guidance_scale=7.0,
        num_inference_steps=SPACE_STEPS,
        generator=torch.Generator(device="cpu").manual_seed(int(seed_value)),
    ).frames[0]
    video = export_to_video(frames, "out.mp4", fps=3)
    return video, video, export_to_gif(frames, "out.gif", fps=8), seed_value


with gr.Blocks() as demo:
    prompt = gr.Textbox(label="Prompt")
    image, video = gr.Image(label="Image"), gr.Video(label="Video")
    strength = gr.Slider(0.1, 1.0, value=0.8, label="Strength")
    seed = gr.Number(label="Seed", value=-1)
    scale, rife = gr.Checkbox(label="Super-resolution"), gr.Checkbox(label="Interpolation", value=False)
    clip, file, gif = gr.Video(label="Clip"), gr.File(), gr.File()
    used = gr.Number(label="Seed that was used")
    gr.Button("Generate").click(generate, [prompt, image, video, strength, seed, scale, rife], [clip, file, gif, used])
demo.launch()
""".replace("SPACE_STEPS", str(SPACE_STEPS))
"""The source of the tiny Space as its owner would show it: the same interface, the same settings."""
