import torch
from diffusers import BitsAndBytesConfig, HunyuanVideoPipeline, HunyuanVideoTransformer3DModel
from diffusers.utils import export_to_video

CONFIG = {
    "model": "hunyuanvideo-community/HunyuanVideo",
    "call": {"height": 320, "width": 512, "num_frames": 61, "num_inference_steps": 30},
    "fps": 15,
}

quantisation = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16)
transformer = HunyuanVideoTransformer3DModel.from_pretrained(
    CONFIG["model"], subfolder="transformer", quantization_config=quantisation, torch_dtype=torch.bfloat16
)
pipe = HunyuanVideoPipeline.from_pretrained(CONFIG["model"], transformer=transformer, torch_dtype=torch.float16)
pipe.vae.enable_tiling()
pipe.enable_model_cpu_offload()

frames = pipe(prompt="A cat walks on the grass, realistic", **CONFIG["call"]).frames[0]
export_to_video(frames, "hunyuan.mp4", fps=CONFIG["fps"])
