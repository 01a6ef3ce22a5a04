"""How much of the clean sample is in the latents of a scheduler, to compare those of different schedulers.

The key insight: a scheduler's own `add_noise` (`scale_noise` for flow matching) is `a x + b e` of a clean sample `x`
and noise `e`. Called with ones and zeros, it shows `a` and `b` at every timestep. Latents divided by `a` are `x` and
noise in one scaling for every scheduler that starts from `x`: DDIM has `a² + b² = 1`, Euler has `a = 1`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .tensors import number

PRESERVING = "variance preserving"
EXPLODING = "variance exploding"
FLOW = "flow matching"
CONVERTIBLE = frozenset({PRESERVING, EXPLODING})
"""Scalings between which latents can be converted: a factor keeps the ratio of sample and noise."""
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Scaling:
    """The scaling of a scheduler's latents.

    Attributes:
        kind: `variance preserving`, `variance exploding` or `flow matching`; empty if it is unknown.
        signal: The factor of the clean sample in the latents, by timestep.
    """

    kind: str = ""
    signal: Mapping[float, float] = field(default_factory=dict)


def is_flow_matching(name: str) -> bool:
    """Whether a scheduler class is by its name one of flow matching; others may be set to it, or not say so."""
    return name.startswith("FlowMatch")


def scaling_of(scheduler: Any) -> Scaling:
    """Return the scaling of a scheduler whose timesteps are set; the scheduler is not changed."""
    import torch

    timesteps = getattr(scheduler, "timesteps", None)
    mix = "add_noise" if hasattr(scheduler, "add_noise") else "scale_noise"
    if not hasattr(scheduler, mix) or not isinstance(timesteps, torch.Tensor) or not timesteps.numel():
        return Scaling()
    distinct = torch.unique(timesteps.detach().cpu())
    one, none = torch.ones(len(distinct), 1), torch.zeros(len(distinct), 1)
    try:
        signal, noise = (_mixed(scheduler, mix, *pair, distinct) for pair in ((one, none), (none, one)))
    except Exception:  # noqa: BLE001 - a stranger's scheduler may refuse anything; then its factors are unknown
        return Scaling(FLOW if is_flow_matching(type(scheduler).__name__) else "")
    found = {value: a for at, a in zip(distinct, signal, strict=True) if (value := number(at)) is not None}
    return Scaling(_kind(list(zip(signal, noise, strict=True))), found)


def _mixed(scheduler: Any, mix: str, clean: Any, noise: Any, timesteps: Any) -> list[float]:
    probed = copy.deepcopy(scheduler)
    for name, value in vars(probed).items():
        if hasattr(value, "cpu"):
            setattr(probed, name, value.cpu())
    for index in ("_begin_index", "_step_index"):  # without a position, a scheduler looks the timestep up
        if hasattr(probed, index):
            setattr(probed, index, None)
    arguments = (clean, noise, timesteps) if mix == "add_noise" else (clean, timesteps, noise)
    mixed = getattr(probed, mix)(*arguments)
    return [float(value) for value in mixed.flatten()]


def _kind(factors: list[tuple[float, float]]) -> str:
    if all(abs(a - 1) < _TOLERANCE for a, _ in factors):
        return EXPLODING
    if all(abs(a + b - 1) < _TOLERANCE for a, b in factors):
        return FLOW
    if all(abs(a * a + b * b - 1) < _TOLERANCE for a, b in factors):
        return PRESERVING
    return ""
