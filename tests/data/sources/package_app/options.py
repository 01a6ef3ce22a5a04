import imageio
import torch

MODEL = "THUDM/CogVideoX-2b"
STEPS = 20 + 15
SEEDS = (3,)
DEVICE = "cuda:1"
CALL = {"guidance_scale": 6, "num_frames": 8 * 6 + 1}


def rife_interpolate(frames):
    from rife import Model

    return Model().run(frames)


def save(frames, name, fps=12):
    imageio.mimsave(name, frames, fps=fps, quality=9)
