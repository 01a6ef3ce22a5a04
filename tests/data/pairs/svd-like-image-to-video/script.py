import torch
from diffusers import CogVideoXImageToVideoPipeline
from diffusers.utils import export_to_video, load_image

pipe = CogVideoXImageToVideoPipeline.from_pretrained("zai-org/CogVideoX-5b-I2V", torch_dtype=torch.bfloat16)
pipe.vae.enable_tiling()
pipe.to("cuda")
image = load_image("cat.png")
video = pipe(image=image, prompt="a cat", num_frames=25, use_dynamic_cfg=False,
             generator=torch.Generator("cuda").manual_seed(42)).frames[0]
export_to_video(video, "cat.mp4", fps=16)
