
import torch
from diffusers import MochiPipeline
from diffusers.utils import export_to_video

class Runner:
	def __init__(self):
		self.pipe = MochiPipeline.from_pretrained("genmo/mochi-1-preview", variant="bf16", torch_dtype=torch.bfloat16)
		self.pipe.to("cuda")

	def run(self, prompt):
		frames = self.pipe(prompt, num_frames=85).frames[0]	# default steps
		export_to_video(frames, "mochi.mp4", fps=30)

Runner().run("a spoon")
