"""Models for the tests on this machine's accelerator: the tiny checkpoint, and CogVideoX-5b with random weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from spacediff.devices import accelerator
from spacediff.progress import SilentListener
from spacediff.record import Ignored
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.loading.checkpoint import Checkpoint
from spacediff.sources.local.loading.checkpoints import Checkpoints
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from spacediff.torchvision_shim import shim_torchvision

DEVICE = accelerator() or ""
"""Type of this machine's accelerator; empty if there is none."""
on_an_accelerator = [
    pytest.mark.gpu,
    pytest.mark.skipif(not DEVICE, reason="this machine has no accelerator"),
    pytest.mark.timeout(2400),
]
"""Marks of a module with tests that need it."""


@dataclass(frozen=True)
class Model:
    """A model at a size, and the source that generates with it."""

    name: str
    source: LocalSource
    call: dict[str, Any]

    def generated(self, dtype: str = "bfloat16", **tables: Any) -> Produced:
        """Generate a clip without reusing results."""
        base = {"model": {"id": RANDOM.id, "dtype": dtype}, "call": self.call, "placement": DEVICE}
        settings = Settings.of(base, Origin.DECLARED).changed_by(Settings.of(tables, Origin.DECLARED))
        return self.source.generate(settings, "A hand squeezes half a lemon", 42, SilentListener(), fresh=True)


def tiny_model() -> Model:
    """The tiny checkpoint, 20 steps."""
    return Model("tiny", LocalSource(), {"num_inference_steps": 20})


def large_model() -> Model:
    """The architecture of CogVideoX-5b at 480x720, 49 frames, 4 steps."""
    source = LocalSource()
    source._checkpoints = _Given(Checkpoint(_large(), ensure_checkpoint(RANDOM), None, (), ()))
    return Model("5b", source, {"num_inference_steps": 4, "num_frames": 49, "height": 480, "width": 720})


class _Given(Checkpoints):
    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self._checkpoint = checkpoint

    def load(self, _: Settings) -> tuple[Checkpoint, tuple[Ignored, ...]]:
        return self._checkpoint, ()


def _large() -> Any:
    """Transformer and VAE as the published configs say, random, and one layer in place of the text encoder."""
    shim_torchvision()
    import torch
    from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler, CogVideoXPipeline, CogVideoXTransformer3DModel
    from transformers import T5Config, T5EncoderModel

    from spacediff.catalogue.builtin_checkpoints import SCHEDULER_CONFIG
    from spacediff.tiny.tokenizer import build_tokenizer

    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        tokenizer = build_tokenizer()
        with torch.device(DEVICE):
            transformer = CogVideoXTransformer3DModel(
                num_attention_heads=48,
                num_layers=42,
                attention_head_dim=64,
                text_embed_dim=4096,
                sample_width=90,
                sample_height=60,
                sample_frames=49,
                use_rotary_positional_embeddings=True,
            )
            vae = AutoencoderKLCogVideoX(scaling_factor=0.7)
            text_encoder = T5EncoderModel(
                T5Config(vocab_size=len(tokenizer), d_model=4096, d_kv=64, d_ff=1024, num_layers=1, num_heads=8)
            )
    finally:
        torch.set_default_dtype(torch.float32)
    modules = {"transformer": transformer, "vae": vae, "text_encoder": text_encoder}
    return CogVideoXPipeline(
        tokenizer=tokenizer,
        scheduler=CogVideoXDDIMScheduler(**SCHEDULER_CONFIG),
        **{name: module.eval().requires_grad_(requires_grad=False).to("cpu") for name, module in modules.items()},
    )
