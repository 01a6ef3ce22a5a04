"""LTX-Video from the command line."""

import argparse

import torch
from diffusers import LTXPipeline
from diffusers.utils import export_to_video


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prompt", help="what to show")
    parser.add_argument("--model", default="Lightricks/LTX-Video")
    parser.add_argument("--negative-prompt", type=str, default="worst quality, jittery")
    parser.add_argument("--steps", "-s", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--offload", action="store_true")
    parser.add_argument("--fps", type=int, default=24)
    return parser.parse_args()


def main():
    args = parse()
    pipe = LTXPipeline.from_pretrained(args.model, torch_dtype=torch.bfloat16)
    if args.offload:
        pipe.enable_model_cpu_offload()
    else:
        pipe.to("cuda")
    generator = torch.Generator("cuda").manual_seed(args.seed) if args.seed is not None else None
    video = pipe(
        prompt=args.prompt,
        negative_prompt=args.negative_prompt,
        width=704,
        height=480,
        num_frames=161,
        num_inference_steps=args.steps,
        generator=generator,
        decode_timestep=0.03,
    ).frames[0]
    export_to_video(video, "ltx.mp4", fps=args.fps)


if __name__ == "__main__":
    main()
