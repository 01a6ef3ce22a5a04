"""Whether VAE tiling is seen on the trained tiny checkpoint: `python -m benchmarks.vae_tiles`.

The same latents are decoded whole and in tiles, and the worst tile of 16x16 pixels between the two is compared with
the codec's own: that of the whole clip and its export. Both are the largest of the same positions in the same frames,
so neither has more chances than the other.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import torch

from spacediff.clip import Clip, read_frames
from spacediff.codec import export_to_video
from spacediff.metrics.tiles import Tile, worst_of_clips
from spacediff.tiny.trained import build_trained
from spacediff.tiny.world import unseen_scenes
from spacediff.torchvision_shim import shim_torchvision
from spacediff.training.evaluate import as_hosted, silent

STEPS, SEED = 25, 42
QUALITY = 5.0
"""That of export_to_video where a script names none."""


@dataclass(frozen=True)
class Tiled:
    """What tiles do to a clip, and what the codec does.

    Attributes:
        caption: The prompt.
        tiles: The worst tile between the clip that was decoded whole and that of VAE tiles.
        codec: The worst tile between the clip that was decoded whole and its export.
        frames: Number of frames whose worst tile exceeds the worst of the codec in all frames.
    """

    caption: str
    tiles: Tile
    codec: Tile
    frames: int


def main() -> None:
    """Measure and print a line for each prompt, then how many are seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=24, help="number of held-out captions")
    found = []
    for each in measured(parser.parse_args().prompts):
        found.append(each)
        print(
            f"{each.tiles.error:5.2f} levels at ({each.tiles.x}, {each.tiles.y}), codec {each.codec.error:5.2f}, "
            f"more in {each.frames:2} frames: {each.caption}",
            flush=True,
        )
    seen = sum(each.tiles.error > each.codec.error for each in found)
    ratios = sorted(each.tiles.error / each.codec.error for each in found)
    print(f"tiling exceeds the codec's own loss in {seen} of {len(found)} clips")
    print(f"share of the codec's loss: {ratios[0]:.2f} to {ratios[-1]:.2f}, median {median(ratios):.2f}")


def measured(prompts: int) -> Iterator[Tiled]:
    """Yield what tiles and codec do to a clip of each prompt, with the settings of the Space and one seed."""
    shim_torchvision()
    pipe = as_hosted(silent(build_trained()))
    for scene in unseen_scenes(0, prompts):
        latents = pipe(
            scene.caption,
            num_inference_steps=STEPS,
            guidance_scale=7.0,
            use_dynamic_cfg=True,
            generator=torch.Generator().manual_seed(SEED),
            output_type="latent",
        ).frames
        whole, tiled = (_decoded(pipe, latents, tiling=tiling) for tiling in (False, True))
        yield _compared(scene.caption, whole, tiled)


@torch.no_grad()
def _decoded(pipe: Any, latents: torch.Tensor, *, tiling: bool) -> Clip:
    pipe.vae.enable_tiling() if tiling else pipe.vae.disable_tiling()
    frames = pipe.video_processor.postprocess_video(pipe.decode_latents(latents), output_type="np")[0]
    return Clip.from_floats(frames, Fraction(8))


def _compared(caption: str, whole: Clip, tiled: Clip) -> Tiled:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exported.mp4"
        export_to_video(whole, path, quality=QUALITY)
        exported = list(read_frames(path))
    each = [worst_of_clips([one], [other]) for one, other in zip(whole.frames, tiled.frames, strict=True)]
    tiles, codec = worst_of_clips(whole.frames, tiled.frames), worst_of_clips(whole.frames, exported)
    if tiles is None or codec is None:
        raise AssertionError("a clip has frames")
    return Tiled(caption, tiles, codec, sum(tile is not None and tile.error > codec.error for tile in each))


if __name__ == "__main__":
    main()
