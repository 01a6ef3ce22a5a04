"""Generate the same clips with a plain diffusers script: `benchmarks.plain_script STEPS [NAME...]`; all by default.

Prints the digest of each clip's frames as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.variants import PROMPT, SEED, VARIANTS
from spacediff.clip import Clip
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from spacediff.torchvision_shim import shim_torchvision


def main() -> None:
    """Load the checkpoint once, then generate and export each clip."""
    shim_torchvision()
    import torch
    from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline
    from diffusers.utils import export_to_video

    steps, names = int(sys.argv[1]), sys.argv[2:] or list(VARIANTS)
    pipe = CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM))
    pipe.set_progress_bar_config(disable=True)
    ddim = pipe.scheduler
    digests = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            tables: dict[str, dict[str, Any]] = VARIANTS[name]
            dpm = tables.get("scheduler")
            pipe.scheduler = CogVideoXDPMScheduler.from_config(ddim.config) if dpm else ddim
            pipe.vae.enable_slicing() if "vae" in tables else pipe.vae.disable_slicing()
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
