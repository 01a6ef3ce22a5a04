"""Arguments of guidance that a pipeline took without using them, by what its steps show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from spacediff.observer.observation import Step
from spacediff.record import Ignored

_ONCE = "the denoiser predicted once for each sample, so no predictions were combined"


def inert_guidance(
    steps: Sequence[Step],
    declared: Mapping[str, Any],
    takes: Collection[str],
    pipeline: str,
    guider: Mapping[str, Any],
) -> list[Ignored]:
    """Return the declared arguments of guidance that had no effect; none where the predictions were not seen.

    Args:
        steps: The steps of the run.
        declared: The declared arguments of the call.
        takes: Names of all arguments that the call takes.
        guider: The declared settings of the pipeline's guider.
        pipeline: Name of the pipeline's class.
    """
    if not steps or any(step.predictions is None for step in steps):
        return []
    guided = any((step.predictions or 0) > 1 for step in steps)
    embedded = any(step.embedded_guidance is not None for step in steps)
    scales = {step.guidance for step in steps}
    apart = "true_cfg_scale" in takes  # then guidance_scale is only for distilled models
    acts: dict[str, Callable[[Any], bool]] = {
        "guidance_scale": lambda value: value <= 1 or embedded or (guided and not apart),
        "true_cfg_scale": lambda value: value <= 1 or guided,
        "guidance_scale_2": lambda value: value in scales,
        "negative_prompt": lambda value: not value or guided,
    }
    advice = {
        "guidance_scale": _advice_on_scale(declared) if apart else _ONCE,
        "true_cfg_scale": _ONCE if declared.get("negative_prompt") else "it acts only with call.negative_prompt",
        "guidance_scale_2": "no step applied it",
        "negative_prompt": _ONCE,
    }
    inert = [
        Ignored(argument=f"call.{name}", value=declared[name], given_to=f"{pipeline}.__call__", advice=advice[name])
        for name, has_effect in acts.items()
        if declared.get(name) is not None and not has_effect(declared[name])
    ]
    scale = guider.get("guidance_scale")
    if scale is not None and scale > 1 and not guided:
        inert.append(Ignored(argument="guider.guidance_scale", value=scale, given_to=pipeline, advice=_ONCE))
    return inert


def _advice_on_scale(declared: Mapping[str, Any]) -> str:
    known = "the model takes no guidance scale"
    if "true_cfg_scale" in declared:
        return f"{known}; call.true_cfg_scale acts"
    return f"{known}; for classifier-free guidance set call.true_cfg_scale and call.negative_prompt"
