"""A tiny random Wan checkpoint with a text encoder: latents in float32, a flow-matching scheduler, attention that
diffusers dispatches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from spacediff.tiny.tokenizer import build_tokenizer
from support.other_pipelines import wan

PROMPT = "A hand squeezes half a lemon"
CALL = {"num_inference_steps": 3, "height": 16, "width": 16, "num_frames": 5, "max_sequence_length": 16}


def save_wan(folder: Path) -> Path:
    """Write the checkpoint into a folder."""
    from transformers import UMT5Config, UMT5EncoderModel

    pipeline, _ = wan()
    tokenizer = build_tokenizer()
    torch.manual_seed(0)
    config = UMT5Config(vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    pipeline.register_modules(tokenizer=tokenizer, text_encoder=UMT5EncoderModel(config).eval())
    with torch.no_grad():
        for parameter in pipeline.transformer.parameters():
            parameter.mul_(2.0 if parameter.ndim > 1 else 1.0)  # so that attention matters
    pipeline.save_pretrained(folder)
    return folder


def load_wan(folder: Path) -> Any:
    """Return the pipeline as a plain script loads it."""
    from diffusers import WanPipeline

    pipeline = WanPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def frames_of(pipeline: Any, **more: Any) -> np.ndarray[Any, Any]:
    """Generate as a plain script does; uint8 `[T, H, W, 3]`."""
    generator = torch.Generator().manual_seed(42)
    images = pipeline(prompt=PROMPT, generator=generator, output_type="pil", **{**CALL, **more}).frames[0]
    return np.stack([np.asarray(image) for image in images])
