from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from spacediff.clip import Clip
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.adapter_files import CALL, PROMPT, USUAL_NAME, Generate, Plain, write_lora
from support.listeners import RememberingListener


@pytest.fixture(scope="session")
def loras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with LoRAs for the tiny CogVideoX: `one` and `two`, `extra` with a layer too many, `foreign`."""
    from diffusers import CogVideoXTransformer3DModel

    folder = tmp_path_factory.mktemp("loras")
    model = CogVideoXTransformer3DModel.from_pretrained(ensure_checkpoint(RANDOM), subfolder="transformer")
    for seed, name in enumerate(("one", "two")):
        write_lora(model, "transformer", folder / name / USUAL_NAME, seed)
    weights = load_file(folder / "one" / USUAL_NAME)
    further = {
        f"transformer.transformer_blocks.77.attn1.to_q.lora_{matrix}.weight": torch.ones(2, 2) for matrix in "AB"
    }
    (folder / "extra").mkdir()
    save_file({**weights, **further}, folder / "extra" / USUAL_NAME)
    (folder / "foreign").mkdir()
    save_file({key.replace("transformer.", "unet.", 1): value for key, value in weights.items()},
              folder / "foreign" / USUAL_NAME)  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def generate() -> Generate:
    source = LocalSource()

    def generated(**tables: Any) -> Produced:
        usual = {"model": {"id": RANDOM.id}, "call": CALL, "placement": "cpu"}
        return source.generate(Settings.of({**usual, **tables}, Origin.DECLARED), PROMPT, 42, RememberingListener())

    return generated


@pytest.fixture(scope="session")
def plain() -> Plain:
    def generated(prepare: Callable[[Any], object]) -> str:
        """Generate with a plain script of diffusers; return the digest of the clip."""
        from diffusers import CogVideoXPipeline

        pipe = CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM))
        pipe.set_progress_bar_config(disable=True)
        prepare(pipe)
        frames = pipe(prompt=PROMPT, generator=torch.Generator().manual_seed(42), **CALL).frames[0]
        return Clip(np.stack([np.asarray(each) for each in frames]), fps=8).digest  # type: ignore[arg-type]

    return generated
