import gradio as gr
import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.bfloat16)
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config)
pipe.enable_model_cpu_offload()
pipe.vae.enable_tiling()
pipe.vae.enable_slicing()


def infer(prompt, steps, guidance, seed, progress=gr.Progress(track_tqdm=True)):
    frames = pipe(
        prompt=prompt,
        num_inference_steps=int(steps),
        height=480,
        width=720,
        num_frames=49,
        guidance_scale=guidance,
        use_dynamic_cfg=True,
        generator=torch.Generator(device="cpu").manual_seed(int(seed)),
    ).frames[0]
    path = "video.mp4"
    export_to_video(frames, path, fps=8)
    return path


with gr.Blocks() as demo:
    prompt = gr.Textbox(label="Prompt")
    with gr.Accordion("Advanced", open=False):
        steps = gr.Slider(1, 100, value=50, step=1, label="Steps")
        guidance = gr.Slider(0, 20, value=7.0, label="Guidance")
        seed = gr.Number(value=42, label="Seed")
    button = gr.Button("Generate")
    video = gr.Video()
    button.click(infer, [prompt, steps, guidance, seed], video)

demo.queue().launch()
