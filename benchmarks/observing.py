"""The cost of observing: `benchmarks.observing FRAMES ROUNDS` prints seconds of one clip, plain and observed, as JSON.

The tiny checkpoint is the hardest case: its steps take milliseconds, those of a real model seconds. The fastest rounds
are compared, because disturbances only make a round slower.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from contextlib import nullcontext

from benchmarks.variants import PROMPT, SEED
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from spacediff.torchvision_shim import shim_torchvision


def main() -> None:
    """Generate the same clip in turns, plain and observed, each with its own pipeline over the same weights."""
    shim_torchvision()
    import torch
    from diffusers import CogVideoXPipeline

    from spacediff.observer.observer import observing
    from spacediff.sources.local.loading.checkpoint import Checkpoint

    frames, rounds = int(sys.argv[1]), int(sys.argv[2])
    checkpoint = Checkpoint(
        CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM)), ensure_checkpoint(RANDOM), None, (), ()
    )
    seconds: dict[str, list[float]] = {"plain": [], "observed": []}
    for number in range(2 * rounds + 2):
        side = ("plain", "observed")[(number + number // 2) % 2]  # in turns, and neither always first
        pipeline = checkpoint.fresh_pipeline()
        pipeline.set_progress_bar_config(disable=True)
        gc.collect()
        began = time.perf_counter()
        with observing(pipeline) if side == "observed" else nullcontext():
            generator = torch.Generator().manual_seed(SEED)
            pipeline(prompt=PROMPT, num_frames=frames, num_inference_steps=50, generator=generator)
        if number > 1:  # the first of each is a warm-up
            seconds[side].append(time.perf_counter() - began)
    print(json.dumps({side: min(each) for side, each in seconds.items()}))


if __name__ == "__main__":
    main()
