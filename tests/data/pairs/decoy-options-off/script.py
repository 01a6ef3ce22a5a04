import torch
from diffusers import CogVideoXImageToVideoPipeline
from diffusers.utils import export_to_video, load_image

pipe = CogVideoXImageToVideoPipeline.from_pretrained("THUDM/CogVideoX-5b-I2V", torch_dtype=torch.bfloat16)
pipe.to("cuda")
settings = dict(num_inference_steps=50, guidance_scale=6, num_frames=49)
video = pipe(
    prompt="the sea moves",
    image=load_image("sea.png"),
    generator=torch.Generator("cuda").manual_seed(1234),
    **settings,
)
export_to_video(video.frames[0], "sea.mp4", fps=8)
