"""Numerics: torch's global switches (attention kernels, TF32, determinism, threads), set for one run and restored."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from spacediff.devices import execution_device, type_of
from spacediff.errors import UnsupportedSetting
from spacediff.observer.switches import ATTENTION_BACKEND, current_numerics
from spacediff.settings import Settings
from spacediff.watch.switching import set_switch, switches_in

_DETERMINISTIC_CUBLAS = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
"""As docs.nvidia.com/cuda/cublas, "Results reproducibility", asks for; torch before pytorch/pytorch#161749 refuses to
compute without it."""


def environment_for(settings: Settings) -> dict[str, str]:
    """Return the environment variables that a process needs to generate with these Settings.

    Libraries read them when they start, so they have to be set when the process is created. They change the results of
    other runs, so a process that has them generates only for Settings that need the same. What the user has set stays.
    """
    if not settings.value("numerics.deterministic") or type_of(execution_device(settings.value("placement"))) != "cuda":
        return {}
    return {name: value for name, value in _DETERMINISTIC_CUBLAS.items() if name not in os.environ}


@contextmanager
def numerics(settings: Settings) -> Iterator[None]:
    """Set torch's global switches inside the block, and restore them afterwards.

    Raises:
        UnsupportedSetting: Attention is declared, and an environment variable makes diffusers use another.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel

    backends = {
        "math": SDPBackend.MATH,
        "flash": SDPBackend.FLASH_ATTENTION,
        "efficient": SDPBackend.EFFICIENT_ATTENTION,
        "cudnn": SDPBackend.CUDNN_ATTENTION,
    }
    with ExitStack() as stack:
        if (attention := settings.value("numerics.attention")) in backends:
            _refuse_two_kernels(attention)
            stack.enter_context(sdpa_kernel([backends[attention]]))
        before = current_numerics()
        for name, value in switches_in(settings.table("numerics")).items():
            stack.callback(set_switch, name, before[name])
            set_switch(name, value)
        yield


def _refuse_two_kernels(attention: str) -> None:
    """Refuse a kernel of torch where diffusers uses another: of its backends, only `native` lets torch choose."""
    backend = os.environ.get(ATTENTION_BACKEND, "native")
    if backend != "native":
        raise UnsupportedSetting(
            f"numerics.attention = {attention!r} has no effect while {ATTENTION_BACKEND} is {backend!r}",
            hint=f"unset {ATTENTION_BACKEND}, or leave numerics.attention out of the scenario",
        )
