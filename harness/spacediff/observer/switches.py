"""The state of torch's global switches, by the names that the settings in `numerics` have."""

from __future__ import annotations

import os
from typing import Any

ATTENTION_BACKEND = "DIFFUSERS_ATTN_BACKEND"
"""Variable that chooses the backend of diffusers' attention."""


NATIVE = "native"
"""The backend of diffusers that leaves the choice to torch."""
KERNELS = {"math": "math", "flash": "flash", "efficient": "mem_efficient", "cudnn": "cudnn"}
"""Kernel of torch's attention to its name in `torch.backends.cuda`."""
_EVERYWHERE = frozenset({"math", "flash", "efficient"})
"""Those that torch allows unless somebody forbids one; cuDNN's is allowed by some versions only."""


def _allowed_kernels() -> str:
    """Return the kernels of attention that torch may use, where somebody has forbidden some."""
    import torch

    allowed = [
        name for name, its in KERNELS.items() if getattr(torch.backends.cuda, f"{its}_sdp_enabled", lambda: False)()
    ]
    return "chosen by torch" if set(allowed) >= _EVERYWHERE else ", ".join(allowed)


def chosen_by(backend: str, said: str) -> str:
    """Return what computes attention by a backend of diffusers: torch's kernel where `native` has only one.

    Args:
        backend: The backend that all models use.
        said: What is returned otherwise.
    """
    allowed = _allowed_kernels()
    return allowed if backend == NATIVE and allowed in KERNELS else said


def current_numerics() -> dict[str, Any]:
    """Return the state of torch's switches."""
    import torch

    backend = os.environ.get(ATTENTION_BACKEND)
    return {
        "compile": False,
        "attention": chosen_by(backend, f"{backend} of {ATTENTION_BACKEND}") if backend else _allowed_kernels(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
        "tf32_cudnn": torch.backends.cudnn.allow_tf32,
        "threads": torch.get_num_threads(),
    }
