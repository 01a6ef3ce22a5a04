import gradio as gr
import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video
from torchao.quantization import int8_weight_only, quantize_
from transformers import T5EncoderModel

MODEL = "THUDM/CogVideoX-5b"
text_encoder = T5EncoderModel.from_pretrained(MODEL, subfolder="text_encoder", torch_dtype=torch.bfloat16)
quantize_(text_encoder, int8_weight_only())
pipe = CogVideoXPipeline.from_pretrained(MODEL, text_encoder=text_encoder, torch_dtype=torch.bfloat16)
pipe.enable_model_cpu_offload()


def make(prompt, seed):
    frames = pipe(prompt, generator=torch.Generator("cpu").manual_seed(int(seed))).frames[0]
    export_to_video(frames, "out.mp4", fps=8)
    return "out.mp4"


gr.Interface(make, [gr.Textbox(), gr.Number(8)], gr.Video()).launch()
