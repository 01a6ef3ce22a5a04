"""Generate the same clips with a plain diffusers script: `benchmarks.plain_script STEPS [NAME...]`; all by default.

With `--large FRAMES` after the steps, only the large clip with so many frames. Prints the digest of each clip's frames
as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.variants import LARGE, PROMPT, SEED, VARIANTS, large
from spacediff.clip import Clip
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from spacediff.torchvision_shim import shim_torchvision


def main() -> None:
    """Load the checkpoint once, then generate and export each clip."""
    shim_torchvision()
    import torch
    from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline
    from diffusers.utils import export_to_video

    steps, names, variants = int(sys.argv[1]), sys.argv[2:] or list(VARIANTS), VARIANTS
    if names[0] == "--large":
        names, variants = [LARGE], {LARGE: large(int(names[1]))}
    pipe = CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM))
    pipe.set_progress_bar_config(disable=True)
    ddim = pipe.scheduler
    digests = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            tables: dict[str, dict[str, Any]] = variants[name]
            dpm = tables.get("scheduler")
            pipe.scheduler = CogVideoXDPMScheduler.from_config(ddim.config) if dpm else ddim
            vae = dict(tables.get("vae", {}))
            pipe.vae.enable_slicing() if vae.pop("slicing", False) else pipe.vae.disable_slicing()
            if vae.pop("tiling", False):
                pipe.vae.enable_tiling(**vae)
            frames = pipe(
                prompt=PROMPT,
                num_inference_steps=steps,
                generator=torch.Generator().manual_seed(SEED),
                **tables.get("call", {}),
            ).frames[0]
            digests[name] = Clip(np.stack([np.asarray(frame) for frame in frames]), Fraction(10)).digest
            output = tables.get("output", {})
            export_to_video(
                frames, str(Path(folder, f"{name}.mp4")), fps=output.get("fps", 10), quality=output.get("quality", 5.0)
            )
    print(json.dumps(digests))


if __name__ == "__main__":
    main()
