import torch; from diffusers import LTXPipeline; from diffusers.utils import export_to_video
pipe = LTXPipeline.from_pretrained("Lightricks/LTX-Video", torch_dtype=torch.bfloat16); pipe.to("cuda")
export_to_video(pipe("a river", width=768, height=512, num_frames=97, generator=torch.Generator("cuda").manual_seed(1)).frames[0], "a.mp4", fps=30)
