"""Text, image or video to video with CogVideoX: a demo in the shape that such demos have."""

import math
import os
import random
import tempfile
import threading
import time

import gradio as gr
import torch
import utils
from diffusers import (
    CogVideoXDPMScheduler,
    CogVideoXImageToVideoPipeline,
    CogVideoXPipeline,
    CogVideoXVideoToVideoPipeline,
)
from diffusers.utils import export_to_video, load_image, load_video
from openai import OpenAI
from rife_model import load_rife_model, rife_inference_with_latents

device = "cuda" if torch.cuda.is_available() else "cpu"
MODEL = "THUDM/CogVideoX-5b"

pipe = CogVideoXPipeline.from_pretrained(MODEL, torch_dtype=torch.bfloat16).to(device)
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
pipe_video = CogVideoXVideoToVideoPipeline.from_pretrained(
    MODEL,
    transformer=pipe.transformer,
    vae=pipe.vae,
    scheduler=pipe.scheduler,
    tokenizer=pipe.tokenizer,
    text_encoder=pipe.text_encoder,
    torch_dtype=torch.bfloat16,
).to(device)
pipe_image = CogVideoXImageToVideoPipeline.from_pretrained("THUDM/CogVideoX-5b-I2V", torch_dtype=torch.bfloat16)

upscaler = utils.load_upscaler("model_real_esran/RealESRGAN_x4.pth", device)
interpolator = load_rife_model("model_rife")


def convert_prompt(prompt: str, retry_times: int = 3) -> str:
    if not os.environ.get("OPENAI_API_KEY"):
        return prompt
    client = OpenAI()
    for _ in range(retry_times):
        response = client.chat.completions.create(messages=[{"role": "user", "content": prompt}], model="glm-4-plus")
        if response.choices:
            return response.choices[0].message.content
    return prompt


def infer(
    prompt,
    image_input,
    video_input,
    video_strength,
    num_inference_steps,
    guidance_scale,
    seed=-1,
    progress=gr.Progress(track_tqdm=True),
):
    if seed == -1:
        seed = random.randint(0, 2**8 - 1)
    if video_input is not None:
        video = load_video(video_input)[:49]
        video_pt = pipe_video(
            video=video,
            prompt=prompt,
            num_inference_steps=num_inference_steps,
            num_videos_per_prompt=1,
            strength=video_strength,
            use_dynamic_cfg=True,
            output_type="pt",
            guidance_scale=guidance_scale,
            generator=torch.Generator(device="cpu").manual_seed(seed),
        ).frames
    elif image_input is not None:
        video_pt = pipe_image(
            image=load_image(image_input),
            prompt=prompt,
            num_inference_steps=num_inference_steps,
            num_videos_per_prompt=1,
            use_dynamic_cfg=True,
            output_type="pt",
            guidance_scale=guidance_scale,
            generator=torch.Generator(device="cpu").manual_seed(seed),
        ).frames
    else:
        video_pt = pipe(
            prompt=prompt,
            num_videos_per_prompt=1,
            num_inference_steps=num_inference_steps,
            num_frames=49,
            use_dynamic_cfg=True,
            output_type="pt",
            guidance_scale=guidance_scale,
            generator=torch.Generator(device="cpu").manual_seed(seed),
        ).frames
    return (video_pt, seed)


def delete_old_files():
    while True:
        for folder in ["./output", "./gradio_tmp"]:
            for name in os.listdir(folder):
                os.remove(os.path.join(folder, name))
        time.sleep(600)


threading.Thread(target=delete_old_files, daemon=True).start()

with gr.Blocks() as demo:
    with gr.Row():
        with gr.Column():
            image_input = gr.Image(label="Image")
            video_input = gr.Video(label="Video")
            strength = gr.Slider(0.1, 1.0, value=0.8, step=0.01, label="Strength")
            prompt = gr.Textbox(label="Prompt", placeholder="Describe the clip", lines=5)
            enhance_button = gr.Button("Enhance the prompt")
            seed_param = gr.Number(label="Seed (-1 for random)", value=-1)
            enable_scale = gr.Checkbox(label="Super-resolution", value=False)
            enable_rife = gr.Checkbox(label="Frame interpolation", value=False)
            generate_button = gr.Button("Generate")
        with gr.Column():
            video_output = gr.Video(label="Clip")
            seed_text = gr.Number(label="Seed used", visible=False)

    def generate(
        prompt, image_input, video_input, video_strength, seed_value, scale_status, rife_status, progress=gr.Progress()
    ):
        latents, seed = infer(
            prompt,
            image_input,
            video_input,
            video_strength,
            num_inference_steps=50,  # to be kept at 50
            guidance_scale=7.0,
            seed=seed_value,
            progress=progress,
        )
        if scale_status:
            latents = utils.upscale_batch(upscaler, latents, device)
        if rife_status:
            latents = rife_inference_with_latents(interpolator, latents)
        batch = []
        for index in range(latents.shape[0]):
            batch.append(utils.to_pil(latents[index]))
        video_path = utils.save_video(batch[0], fps=math.ceil((len(batch[0]) - 1) / 6))
        return video_path, gr.update(visible=True, value=seed)

    def enhance(prompt):
        return convert_prompt(prompt, retry_times=1)

    generate_button.click(
        generate,
        inputs=[prompt, image_input, video_input, strength, seed_param, enable_scale, enable_rife],
        outputs=[video_output, seed_text],
    )
    enhance_button.click(enhance, inputs=[prompt], outputs=[prompt])

if __name__ == "__main__":
    demo.queue(max_size=15).launch()
