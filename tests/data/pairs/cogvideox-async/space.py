import gradio as gr
import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
pipe.vae.enable_slicing()
pipe.vae.enable_tiling()


def infer(prompt, seed):
    video = pipe(
        prompt=prompt,
        num_videos_per_prompt=1,
        num_inference_steps=50,
        num_frames=49,
        use_dynamic_cfg=True,
        guidance_scale=7.0,
        generator=torch.Generator(device="cpu").manual_seed(int(seed)),
    ).frames[0]
    export_to_video(video, "out.mp4", fps=8)
    return "out.mp4"


with gr.Blocks() as demo:
    prompt, seed, button, video = gr.Textbox(), gr.Number(value=42), gr.Button(), gr.Video()
    button.click(infer, [prompt, seed], video)
demo.launch()
