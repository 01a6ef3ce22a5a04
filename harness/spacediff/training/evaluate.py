"""Evaluate the trained tiny model: `python -m spacediff.training.evaluate`.

On held-out captions, each with a different seed and with the settings of the Space: whether the named colours are
visible and do what the caption says, according to `spacediff.tiny.detector`. Then how well the autoencoder reconstructs
held-out clips, and how long a clip takes.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spacediff.tiny.architecture import FRAMES, HEIGHT, WIDTH
from spacediff.tiny.detector import colours_shown, motion_shown
from spacediff.tiny.trained import WEIGHTS, build_trained
from spacediff.tiny.world import DIRECTIONS, Scene, draw_clip, unseen_scenes
from spacediff.training.arguments import count, new_file, weights
from spacediff.training.autoencoder import as_tensor
from spacediff.training.sheet import write_sheet

CLIPS = 48
SCENE_SEED, FIRST_SEED = 4242, 1000
TIMED_STEPS = 20


def main() -> None:
    """Print the figures as JSON; write the clips as a picture on request."""
    options = _options()
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    import torch

    torch.set_num_threads(options.threads)
    usual = silent(build_trained(options.weights))
    cost = _seconds(usual)
    pipe = as_hosted(usual)
    some = unseen_scenes(SCENE_SEED, options.clips)
    clips = [generated(pipe, scene.caption, FIRST_SEED + n) for n, scene in enumerate(some)]
    found = {
        "captions": len(some),
        "colours shown": sum(map(colours_shown, clips, some)) / len(some),
        "motion shown": sum(map(motion_shown, clips, some)) / len(some),
        "motion shown, where a direction is named": _share_of_directions(clips, some),
        "autoencoder, dB": _reconstruction(usual, some),
        f"seconds per clip at {TIMED_STEPS} steps on {options.threads} threads": cost,
    }
    print(json.dumps(found, indent=2))  # noqa: T201 - a command of its own
    if options.pictures:
        write_sheet(options.pictures, clips, [scene.caption for scene in some])


def silent(pipe: Any) -> Any:
    """Return a pipeline after turning its progress bars off."""
    pipe.set_progress_bar_config(disable=True)
    return pipe


def as_hosted(pipe: Any) -> Any:
    """Make a pipeline of the same models with the Space's scheduler."""
    from diffusers import CogVideoXDPMScheduler

    hosted = type(pipe)(**pipe.components)
    hosted.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
    hosted.set_progress_bar_config(disable=True)
    return hosted


def generated(pipe: Any, prompt: str, seed: int, **call: Any) -> NDArray[np.uint8]:
    """Generate a clip with the Space's settings, or with other arguments of the call, uint8 `[T, H, W, 3]`."""
    import torch

    settings = {"num_inference_steps": 50, "guidance_scale": 7.0, "use_dynamic_cfg": True} | call

    frames = pipe(
        prompt=prompt,
        num_frames=FRAMES,
        generator=torch.Generator().manual_seed(seed),
        output_type="np",
        **settings,
    ).frames[0]
    rounded: NDArray[np.uint8] = np.rint(frames * 255).astype(np.uint8)
    return rounded


def _share_of_directions(clips: list[NDArray[np.uint8]], some: list[Scene]) -> float:
    """Return the share of clips with the right motion, among those whose caption names a direction."""
    right = [motion_shown(clip, scene) for clip, scene in zip(clips, some, strict=True) if scene.motion in DIRECTIONS]
    return sum(right) / max(len(right), 1)


def _reconstruction(pipe: Any, some: list[Scene]) -> float:
    """Compute the mean PSNR in dB of held-out clips after encoding and decoding in float32, as 8-bit frames."""
    import torch

    vae = pipe.vae.float()
    measured = []
    for number, scene in enumerate(some):
        frames = as_tensor([draw_clip(scene, np.random.default_rng([SCENE_SEED, number]))])
        with torch.no_grad():
            decoded = vae.decode(vae.encode(frames).latent_dist.mode()).sample
        levels = ((decoded.clamp(-1, 1) + 1) * 127.5).round() - (frames + 1) * 127.5
        measured.append(10 * np.log10(255**2 / float(levels.square().mean())))
    return float(np.mean(measured))


def _seconds(pipe: Any) -> float:
    """Return the longest time of three clips with the pipeline's own settings, after one for warming up."""
    import torch

    seconds = []
    for seed in range(4):
        begun = time.perf_counter()
        pipe(
            prompt="a red ball rolls to the left over a grey floor",
            height=HEIGHT,
            width=WIDTH,
            num_frames=FRAMES,
            num_inference_steps=TIMED_STEPS,
            generator=torch.Generator().manual_seed(seed),
        )
        seconds.append(time.perf_counter() - begun)
    return max(seconds[1:])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m spacediff.training.evaluate", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--weights", type=weights, default=WEIGHTS, help="folder of the weights (default: those of the package)"
    )
    parser.add_argument("--clips", type=count, default=CLIPS, help="number of captions (default: %(default)s)")
    parser.add_argument("--pictures", type=new_file, help="PNG to write with every fourth frame of each clip")
    parser.add_argument("--threads", type=count, default=2, help="threads of torch (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
