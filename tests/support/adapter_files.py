"""LoRA files for tiny models, and the run that tests load them into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from spacediff.sources import Produced
from spacediff.torchvision_shim import shim_torchvision

shim_torchvision()  # peft imports transformers, which imports torchvision

PROMPT = "A hand squeezes half a lemon"
CALL = {"num_inference_steps": 2, "num_frames": 5}
ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
USUAL_NAME = "pytorch_lora_weights.safetensors"

Generate = Callable[..., Produced]
Plain = Callable[[Callable[[Any], object]], str]


def write_lora(model: Any, prefix: str, file: Path, seed: int) -> Path:
    """Write random LoRA weights for the attention layers of a model."""
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    torch.manual_seed(seed)
    model.add_adapter(LoraConfig(r=2, lora_alpha=6, init_lora_weights=False, target_modules=ATTENTION), "made")
    weights = get_peft_model_state_dict(model, adapter_name="made")
    model.delete_adapters("made")
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({f"{prefix}.{key}": value.contiguous() for key, value in weights.items()}, file)
    return file
