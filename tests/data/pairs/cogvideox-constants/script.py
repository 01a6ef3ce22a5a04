# Settings of this run
import torch
import diffusers
from diffusers.utils import export_to_video

MODEL = "zai-org/CogVideoX-5b"
STEPS, GUIDANCE = 30, 6.0
FPS = 12
DTYPE = torch.float16


def main():
    pipe = diffusers.CogVideoXPipeline.from_pretrained(MODEL, torch_dtype=DTYPE)
    pipe.to("cuda")
    frames = pipe(
        prompt="a boat at dusk",
        num_inference_steps=STEPS,  # more is slower
        guidance_scale=GUIDANCE,
        generator=torch.Generator().manual_seed(7),
    ).frames[0]
    export_to_video(frames, "boat.mp4", fps=FPS)


if __name__ == "__main__":
    main()
