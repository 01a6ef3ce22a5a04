"""Isolated steps: every step starts from the latents of another run, so that no step inherits an earlier error."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spacediff.errors import NotComparable
from spacediff.observer.hooks import Call, add_hook, step_result
from spacediff.settings import Settings

if TYPE_CHECKING:
    import torch

_HINT = "steps can be isolated only between settings with the same number of steps and the same sizes"


@dataclass
class Fed:
    """The latents that each step starts from, and the error that each step makes.

    Attributes:
        latents: The latents of the other run, before its first step and after each step.
        errors: For each finished step, the distance of its result from the other run's, relative to the other's norm.
    """

    latents: Sequence[torch.Tensor]
    errors: list[float] = field(default_factory=list)

    def refuse_other_lengths(self) -> None:
        """Raise NotComparable if the number of steps differs from that of the other run."""
        if len(self.errors) != len(self.latents) - 1:
            raise NotComparable(
                f"the run has {len(self.errors)} steps, but {len(self.latents) - 1} in the run that gives the latents",
                hint=_HINT,
            )


def refuse_other_sizes(declared: Settings, fed_by: Settings) -> None:
    """Refuse two runs of different sizes before anything is generated.

    Raises:
        NotComparable: Both runs declare the number of steps or a size, with different values.
    """
    for name in ("num_inference_steps", "num_frames", "height", "width"):
        own, other = (settings.value(f"call.{name}") for settings in (declared, fed_by))
        if None not in (own, other) and own != other:
            raise NotComparable(f"call.{name} is {own}, but {other} in the run that gives the latents", hint=_HINT)


def feed(pipeline: Any, latents: Sequence[torch.Tensor]) -> Fed:
    """Make a pipeline start every step from these latents; the result of its last step is decoded as usual."""
    fed = Fed(latents)
    add_hook(pipeline, "prepare_latents", functools.partial(_start, fed))
    add_hook(pipeline.scheduler, "step", functools.partial(_step, fed))
    return fed


def _start(fed: Fed, call: Call) -> Any:
    prepared = call.proceed()
    if isinstance(prepared, list | tuple):
        return type(prepared)([_like(fed.latents[0], prepared[0]), *prepared[1:]])
    return _like(fed.latents[0], prepared)


def _step(fed: Fed, call: Call) -> Any:
    result = call.proceed()
    own = step_result(result)
    number = len(fed.errors) + 1
    latents = _like(fed.latents[min(number, len(fed.latents) - 1)], own)
    fed.errors.append(_distance(own.to(call.arguments()["sample"].dtype), latents))
    if number >= len(fed.latents) - 1:
        return result
    if isinstance(result, tuple):
        return (latents, *result[1:])
    result.prev_sample = latents
    return result


def _like(latents: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    if latents.shape != own.shape:
        raise NotComparable(
            f"the latents have shape {tuple(own.shape)}, but {tuple(latents.shape)} in the run that gives the latents",
            hint=_HINT,
        )
    return latents.to(own.device, own.dtype)


def _distance(own: torch.Tensor, other: torch.Tensor) -> float:
    import torch

    ours, theirs = own.detach().cpu().double(), other.cpu().double()  # MPS has no float64
    return float(torch.linalg.vector_norm(ours - theirs) / torch.linalg.vector_norm(theirs))
