"""Each step alone: a pipeline that gets another run's latents into every step, so that no step inherits an error."""

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

_HINT = "steps stand alone only between settings with the same number of steps and the same sizes"


@dataclass
class Fed:
    """What is fed, and what each step made of it.

    Attributes:
        latents: The other run's latents before its first step and after each.
        errors: For each step done, the distance of its result from the other run's, by that one's norm.
    """

    latents: Sequence[torch.Tensor]
    errors: list[float] = field(default_factory=list)

    def refuse_other_lengths(self) -> None:
        """Raise NotMeasuredError unless every step of the other run was met by one."""
        if len(self.errors) != len(self.latents) - 1:
            raise NotComparable(
                f"{len(self.errors)} steps cannot be fed the latents of {len(self.latents) - 1}", hint=_HINT
            )


def refuse_other_sizes(declared: Settings, fed_by: Settings) -> None:
    """Refuse what cannot work before anything is generated.

    Raises:
        NotComparable: Both sides declare the number of steps, or a size, and not the same one.
    """
    for name in ("num_inference_steps", "num_frames", "height", "width"):
        own, other = (settings.value(f"call.{name}") for settings in (declared, fed_by))
        if None not in (own, other) and own != other:
            raise NotComparable(f"call.{name} = {own} cannot be fed the latents of {other}", hint=_HINT)


def feed(pipeline: Any, latents: Sequence[torch.Tensor]) -> Fed:
    """Let a pipeline start every step from these latents; the last step's own result goes on to the decoder."""
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
            f"latents of shape {tuple(own.shape)} cannot be fed those of {tuple(latents.shape)}", hint=_HINT
        )
    return latents.to(own.device, own.dtype)


def _distance(own: torch.Tensor, other: torch.Tensor) -> float:
    import torch

    ours, theirs = own.detach().double(), other.double()
    return float(torch.linalg.vector_norm(ours - theirs) / torch.linalg.vector_norm(theirs))
