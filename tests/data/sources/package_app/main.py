"""A command made with click, its pipeline in another file, its switches in a third."""

import click

from . import options
from .models.loading import build


@click.command()
@click.option("--prompt", default="a red kite", help="what to show")
@click.option("--steps", "num_steps", default=options.STEPS)
@click.option("--smooth", is_flag=True)
def run(prompt, num_steps, smooth):
    pipe = build(options.MODEL)
    try:
        pipe.enable_vae_slicing()
    except AttributeError:
        print("no slicing")
    kwargs = {**options.CALL, "num_inference_steps": num_steps}
    for seed in options.SEEDS:
        generator = options.torch.Generator(device=options.DEVICE).manual_seed(seed)
        frames = pipe(prompt=prompt, generator=generator, **kwargs).frames[0]
        if smooth:
            frames = options.rife_interpolate(frames)
        options.save(frames, f"kite-{seed}.mp4")


if __name__ == "__main__":
    run()
