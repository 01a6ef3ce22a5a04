"""The state of torch's global switches, by the names that the settings in `numerics` have."""

from __future__ import annotations

import os
from typing import Any

ATTENTION_BACKEND = "DIFFUSERS_ATTN_BACKEND"
"""Variable that chooses the backend of diffusers' attention."""


def current_numerics() -> dict[str, Any]:
    """Return the state of torch's switches."""
    import torch

    backend = os.environ.get(ATTENTION_BACKEND)
    return {
        "compile": False,
        "attention": f"{backend} of {ATTENTION_BACKEND}" if backend else "chosen by torch",
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
        "tf32_cudnn": torch.backends.cudnn.allow_tf32,
        "threads": torch.get_num_threads(),
    }
