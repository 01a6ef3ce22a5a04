import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXPipeline, CogVideoXTransformer3DModel
from diffusers.utils import export_to_video
from transformers import T5EncoderModel

NAME = "THUDM/CogVideoX-2b"
DTYPE = torch.float16
text_encoder = T5EncoderModel.from_pretrained(NAME, subfolder="text_encoder", torch_dtype=DTYPE)
transformer = CogVideoXTransformer3DModel.from_pretrained(NAME, subfolder="transformer", torch_dtype=DTYPE)
vae = AutoencoderKLCogVideoX.from_pretrained(NAME, subfolder="vae", torch_dtype=DTYPE)
pipe = CogVideoXPipeline.from_pretrained(
    NAME, text_encoder=text_encoder, transformer=transformer, vae=vae, torch_dtype=DTYPE
)
pipe.enable_sequential_cpu_offload()
pipe.vae.enable_tiling()
generator = torch.Generator("cpu")
generator.manual_seed(42)
frames = pipe("a fox in the snow", num_videos_per_prompt=1, negative_prompt="", generator=generator).frames[0]
export_to_video(frames, "fox.mp4", fps=8)
