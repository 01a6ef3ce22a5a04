"""The guidance that acts in a step, measured from what the denoiser predicted and what the scheduler was given.

The key insight: a pipeline may ignore a scale, change it inside the loop, or apply another argument. What acts is seen
from outside: classifier-free guidance gives the scheduler `u + w (c - u)`, so the scale `w` follows from the two
predictions `u` and `c` and their combination. One prediction for each sample means that nothing was combined. A
distilled model is given its scale as an argument, which is seen in its call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .tensors import number

if TYPE_CHECKING:
    import torch

_SCALES = ("guidance_scale", "cfg_scale", "guidance_scale_2")
_CLOSE = 0.02
"""Relative distance of a measured scale from a declared one that counts as equal."""
_RESIDUAL = 0.05
"""The largest part of a combination that the two predictions may leave unexplained."""
_HALF_ROUNDING = 2**-7
"""The relative error of a combination that was computed in bfloat16."""
_DISTILLED_FACTOR = 1000
"""Some models take their scale in thousandths, as HunyuanVideo does."""


@dataclass(frozen=True)
class Prediction:
    """One call of a denoiser.

    Attributes:
        output: What it predicted `[n * B, ...]`; None if it is no tensor.
        samples: Number of samples that it predicted for.
        embedded: The guidance scale that the model was given as an argument; None if it takes none.
    """

    output: torch.Tensor | None
    samples: int
    embedded: float | None


@dataclass(frozen=True)
class Guidance:
    """The guidance of one step.

    Attributes:
        scale: The scale of classifier-free guidance; the mean, where each frame has its own; None where no predictions
            are combined.
        span: The lowest and the highest scale, where each frame has its own.
        embedded: The scale that the model itself was given; None if it takes none.
        predictions: Number of predictions for each sample that the step combined; None if they were not seen.
    """

    scale: float | None = None
    span: tuple[float, float] | None = None
    embedded: float | None = None
    predictions: int | None = None


def prediction_of(
    denoiser: Any, kwargs: Mapping[str, Any], result: Any, declared: Callable[[], Sequence[float]]
) -> Prediction:
    """Return what a call of a denoiser shows.

    Args:
        denoiser: The module.
        kwargs: The arguments of the call by name.
        result: Its result.
        declared: Returns the scales that were asked for.
    """
    output = _output(result)
    samples = 0 if output is None else int(output.shape[0])
    return Prediction(output, samples, _embedded(denoiser, kwargs, declared))


def guidance_in_force(
    predictions: Sequence[Prediction], combined: torch.Tensor | None, pipeline: Any, arguments: Mapping[str, Any]
) -> Guidance:
    """Return the guidance that acts in a step.

    Args:
        predictions: The calls of the denoiser since the last step.
        combined: What the scheduler was given, `[B, ...]`; None if it is no tensor.
        pipeline: The pipeline that steps, for the scales that it holds.
        arguments: Arguments of its call, for the scales that were asked for.
    """
    embedded = next((each.embedded for each in predictions if each.embedded is not None), None)
    count = _count(predictions, combined)
    if count == 1:
        return Guidance(embedded=embedded, predictions=1)
    per_frame: Any = getattr(pipeline, "guidance_scale", None)
    if hasattr(per_frame, "numel") and per_frame.numel() > 1:
        values = per_frame.detach().cpu().double()
        span = (float(values.min()), float(values.max()))
        return Guidance(float(values.mean()), span, embedded, count)
    held = declared_scales(pipeline, arguments)
    found = None if combined is None or count is None else _measured(predictions, combined, held)
    scale = _held(pipeline, arguments) if found is None else found
    return Guidance(scale, None, embedded, count)


def declared_scales(pipeline: Any, arguments: Mapping[str, Any]) -> list[float]:
    """Return all guidance scales that a pipeline, its guider and the arguments of its call hold."""
    guider = getattr(pipeline, "guider", None)
    named = {
        **{name: value for name, value in arguments.items() if name.endswith(_SCALES)},
        "of the pipeline": getattr(pipeline, "guidance_scale", None),
        "of its second model": getattr(pipeline, "guidance_scale_2", getattr(pipeline, "_guidance_scale_2", None)),
        "of its guider": getattr(guider, "guidance_scale", None),
    }
    return [scale for value in named.values() if (scale := number(value)) is not None]


def _held(pipeline: Any, arguments: Mapping[str, Any]) -> float | None:
    """Return the scale that a pipeline holds, for a combination that cannot be measured."""
    if getattr(pipeline, "do_classifier_free_guidance", None) is False:
        return None
    true_scale = number(arguments.get("true_cfg_scale"))
    if true_scale is not None and true_scale > 1:
        return true_scale
    guider = number(getattr(getattr(pipeline, "guider", None), "guidance_scale", None))
    return number(getattr(pipeline, "guidance_scale", None)) if guider is None else guider


def _count(predictions: Sequence[Prediction], combined: torch.Tensor | None) -> int | None:
    if not predictions or combined is None or not combined.ndim or not combined.shape[0]:
        return None
    samples = sum(each.samples for each in predictions)
    return max(samples // int(combined.shape[0]), 1) if samples else None


def _measured(predictions: Sequence[Prediction], combined: torch.Tensor, declared: Sequence[float]) -> float | None:
    """Return the scale that gives the combination of two predictions; None if no scale does.

    Pipelines may rescale the combination by a factor for each sample (`guidance_rescale`) or each token (Qwen-Image);
    then only its direction is measured.
    """
    pair = _pair(predictions, combined)
    if pair is None:
        return None
    half = combined.element_size() <= 2  # noqa: PLR2004 - bytes of a half-precision number
    whole, samples, tokens = (1, -1), (len(combined), -1), (-1, int(combined.shape[-1]))
    values = [each.detach().cpu().double() for each in (*pair, combined)]
    for rows, rescaled in ((whole, False), (samples, True), (tokens, True)):
        first, second, target = (each.reshape(rows) for each in values)
        found = _scale(first, second, target, rescaled=rescaled, half=half)
        if found is not None:
            return _named(found, declared)
    return None


def _scale(
    first: torch.Tensor, second: torch.Tensor, target: torch.Tensor, *, rescaled: bool, half: bool
) -> float | None:
    """Solve `target = first + w (second - first)` for `w` by least squares; all tensors are `[rows, values]`.

    Args:
        first: One prediction.
        second: The other.
        target: Their combination.
        rescaled: Whether each row of the target may have been multiplied by a factor; then what lies across it counts.
        half: Whether the combination was computed in half precision.
    """
    size = float(target.norm())
    step = second - first
    wanted = target - first
    if rescaled:
        unit = target / target.norm(dim=1, keepdim=True).clamp_min(1e-300)
        step = step - (step * unit).sum(1, keepdim=True) * unit
        wanted = -(first - (first * unit).sum(1, keepdim=True) * unit)
    square = float((step * step).sum())
    if not square > 1e-20 * size**2:
        return None
    found = float((wanted * step).sum()) / square
    rest = float((wanted - found * step).norm())
    return found if rest <= max(_RESIDUAL * abs(found) * square**0.5, _HALF_ROUNDING * size * half) else None


def _named(found: float, declared: Sequence[float]) -> float:
    """Return the declared scale that a measured one is, or the measured one in four digits.

    The unconditional prediction may be either of the two, and Z-Image's pipelines apply `c + s (c - u)`, where the
    scale is one lower.
    """
    for value in (found, 1 - found, found - 1, -found):
        near = [scale for scale in declared if abs(value - scale) <= _CLOSE * max(abs(scale), 1.0)]
        if near:
            return min(near, key=lambda scale: abs(value - scale))
    return float(f"{max(found, 1 - found):.4g}")


def _pair(predictions: Sequence[Prediction], combined: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return the two predictions that were combined, in one call or in two; None for another number or shape."""
    outputs = [each.output for each in predictions if each.output is not None]
    if len(outputs) == 1:
        halves = outputs[0].chunk(2)
        outputs = list(halves) if len(halves) == 2 else []  # noqa: PLR2004 - the conditional and the other one
    if len(outputs) != 2:  # noqa: PLR2004 - the same
        return None
    first, second = (_fitting(each, combined) for each in outputs)
    return None if first is None or second is None else (first, second)


def _fitting(output: torch.Tensor, combined: torch.Tensor) -> torch.Tensor | None:
    """Return a prediction with as many values as the combination: a learned variance in its channels is left out."""
    if output.ndim > 1 and output.numel() == 2 * combined.numel():
        output = output.chunk(2, dim=1)[0]
    return output if output.numel() == combined.numel() else None


def _output(result: Any) -> torch.Tensor | None:
    """Return the tensor in the result of a denoiser; samples in a list are stacked."""
    import torch

    found = next(iter(result.values()), None) if isinstance(result, dict) else result  # an output class is a dict
    if isinstance(found, tuple) and found:
        found = found[0]
    if isinstance(found, list):  # one tensor for each sample
        alike = bool(found) and all(isinstance(each, torch.Tensor) and each.shape == found[0].shape for each in found)
        found = torch.stack(found) if alike else None
    # a compiled model may write its next prediction over this one
    return found.detach().clone() if isinstance(found, torch.Tensor) and found.ndim else None


def _embedded(denoiser: Any, kwargs: Mapping[str, Any], declared: Callable[[], Sequence[float]]) -> float | None:
    """Return the scale that a distilled model is given: `guidance`, or `timestep_cond`, which is made from it."""
    config = getattr(denoiser, "config", None)
    given = number(kwargs.get("guidance"))
    if given is not None and getattr(config, "guidance_embeds", None) is not False:
        for scale in declared():
            if any(abs(given - factor * scale) <= _CLOSE * abs(given) for factor in (1, _DISTILLED_FACTOR)):
                return scale
        return given
    if kwargs.get("timestep_cond") is not None:
        return next(iter(declared()), None)
    return None
