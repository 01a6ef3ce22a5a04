"""A checkpoint whose weights outweigh everything else in memory: CogVideoX-5b in proportion, at 1/180 of its size.

As there, the text encoder is nearly as heavy as the transformer. The weights are random.
"""

from __future__ import annotations

from pathlib import Path

from spacediff.tiny.architecture import Sizes, assemble
from spacediff.tiny.tokenizer import build_tokenizer
from spacediff.torchvision_shim import shim_torchvision

CALL = {"num_inference_steps": 2, "num_frames": 5, "height": 32, "width": 64}
"""Arguments of a call that takes about two seconds; its activations take about a tenth of the weights."""
_SIZES = Sizes(
    text_width=512,
    text_layers=14,
    time_width=64,
    heads=2,
    head_width=128,
    layers=28,
    channels=(8, 8, 16, 16),
    scaling_factor=0.7,
)


def save_heavy_checkpoint(folder: Path) -> Path:
    """Write the checkpoint in bfloat16.

    The VAE's sample size determines the size of its tiles; with this one, they are smaller than the frames of `CALL`.
    """
    shim_torchvision()
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pipeline = assemble(_SIZES, build_tokenizer())
    pipeline.vae.register_to_config(sample_height=96, sample_width=80)
    pipeline.to(torch.bfloat16).save_pretrained(folder)
    return folder


def weights_of(folder: Path) -> int:
    """Return the bytes of a checkpoint's weights."""
    return sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
