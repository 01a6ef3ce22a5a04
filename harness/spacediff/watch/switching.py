"""Set torch's global switches, by the names that `numerics` of a scenario has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def switches_in(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the switches that a table `numerics` sets, with their values; `tf32` is both of its own.

    TF32 has two switches, and their defaults differ: matrix products do not use it, cuDNN's convolutions do.
    """
    both = {f"tf32_{name}": wanted["tf32"] for name in ("matmul", "cudnn") if "tf32" in wanted}
    return {name: value for name, value in {**both, **wanted}.items() if name in _SETTERS and value is not None}


def set_switch(name: str, value: Any) -> None:
    """Set a switch of torch; `spacediff.observer.switches.current_numerics` returns what is in force."""
    _SETTERS[name](value)


def _set_matmul(value: Any) -> None:
    import torch

    torch.backends.cuda.matmul.allow_tf32 = value


def _set_cudnn(value: Any) -> None:
    import torch

    torch.backends.cudnn.allow_tf32 = value


def _set_deterministic(value: Any) -> None:
    import torch

    torch.use_deterministic_algorithms(value)


def _set_threads(value: Any) -> None:
    import torch

    torch.set_num_threads(value)


_SETTERS = {
    "tf32_matmul": _set_matmul,
    "tf32_cudnn": _set_cudnn,
    "deterministic": _set_deterministic,
    "threads": _set_threads,
}
