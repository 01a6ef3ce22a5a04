"""What observing adds to one step of a real size: `benchmarks.observing_step STEPS` prints seconds as JSON.

The latents are those of CogVideoX-5b, 13 frames of 16 channels with 60x90 values in bfloat16. The denoiser is left out,
since its seconds are the model's: only the scheduler steps, plain, observed as in an audit, and recorded as by
`spacediff record`, which also sketches the latents.
"""

from __future__ import annotations

import json
import sys
import time

from spacediff.torchvision_shim import shim_torchvision

SHAPE = (1, 13, 16, 60, 90)


def main() -> None:
    """Step the same scheduler in turns: plain, observed, recorded."""
    shim_torchvision()
    import torch
    from diffusers import CogVideoXDDIMScheduler, DiffusionPipeline

    from spacediff.observer.observation import Observation
    from spacediff.observer.observer import Observer

    class OnlySteps(DiffusionPipeline):  # type: ignore[misc]
        """A pipeline of a scheduler alone."""

        def __init__(self, scheduler: CogVideoXDDIMScheduler) -> None:
            super().__init__()
            self.register_modules(scheduler=scheduler)

    steps = int(sys.argv[1])
    pipeline = OnlySteps(CogVideoXDDIMScheduler())
    pipeline.scheduler.set_timesteps(steps)
    start = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    seconds: dict[str, float] = {}
    for side in ("warm-up", "plain", "observed", "recorded"):
        observer = Observer(pipeline, keep_latents=False, before=Observation(), sketches=side == "recorded")
        if side in {"observed", "recorded"}:
            observer.hook_all()
        latents, began = start, time.perf_counter()
        for timestep in pipeline.scheduler.timesteps:
            latents = pipeline.scheduler.step(start, timestep, latents, return_dict=False)[0]
        seconds[side] = (time.perf_counter() - began) / steps
        observer.unhook()
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
