"""Numerics: torch's global switches (attention kernels, TF32, determinism, threads), set for one run and restored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from spacediff.settings import Settings


@contextmanager
def numerics(settings: Settings) -> Iterator[None]:
    """Set torch's global switches inside the block, and restore them afterwards."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    backends = {
        "math": SDPBackend.MATH,
        "flash": SDPBackend.FLASH_ATTENTION,
        "efficient": SDPBackend.EFFICIENT_ATTENTION,
        "cudnn": SDPBackend.CUDNN_ATTENTION,
    }
    with ExitStack() as stack:
        if (attention := settings.value("numerics.attention")) is not None:
            stack.enter_context(sdpa_kernel([backends[attention]]))
        if (tf32 := settings.value("numerics.tf32")) is not None:
            matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
            stack.callback(_set_tf32, matmul=matmul, cudnn=cudnn)
            _set_tf32(matmul=tf32, cudnn=tf32)
        if (deterministic := settings.value("numerics.deterministic")) is not None:
            was = torch.are_deterministic_algorithms_enabled()
            stack.callback(torch.use_deterministic_algorithms, was)
            torch.use_deterministic_algorithms(deterministic)
        if (threads := settings.value("numerics.threads")) is not None:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(threads)
        yield


def _set_tf32(*, matmul: bool, cudnn: bool) -> None:
    import torch

    torch.backends.cuda.matmul.allow_tf32 = matmul
    torch.backends.cudnn.allow_tf32 = cudnn
