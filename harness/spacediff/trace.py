"""A trace that any program can write: what its latents were, step by step, as numbers that an audit compares.

It needs NumPy and torch, and nothing else of spacediff than the observer's definitions of a digest, statistics and a
sketch. The file has one JSON object per line, so that a program that fails leaves what it has done until then.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .observer.sketch import sketch
from .observer.tensors import digest, extremes, statistics

VERSION = 1
"""Version of the format; the first line of a file says it."""


def write(
    file: str | Path,
    *,
    step: int | None = None,
    timestep: float | None = None,
    latents: Any = None,
    guidance: float | None = None,
    noise: Any = None,
    embeddings: Sequence[Any] | None = None,
    scaling: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Add to the trace file of a program whose clip is the reference of an audit.

    Tensors are of torch, on any device, or NumPy arrays; only numbers that describe them are written.

    Args:
        file: The file, which is made when it is missing: the path that `{trace}` stands for.
        step: Number of a denoising step, from 1; needs `latents`.
        timestep: Its timestep; one that is infinite or not a number is left out, as is such a guidance.
        latents: The latents after the step, in the shape and dtype in which the next step gets them.
        guidance: The scale of classifier-free guidance in force in the step.
        noise: The noise that the first latents were made from, as it was drawn.
        embeddings: The text embeddings, in the order in which diffusers' `encode_prompt` returns them.
        scaling: How the latents are scaled: `variance preserving`, `variance exploding` or `flow matching`. Without it,
            it is unknown, and only digests are compared.
        settings: What the program uses, by the tables of a scenario: `{"call": {"num_inference_steps": 50}}`.

    Raises:
        ValueError: A step is not a number from 1, or has no latents, or there are latents without a step; or a number
            among the settings is infinite or not a number.
    """
    if (step is None) != (latents is None) or (step is not None and step < 1):
        raise ValueError("a step has a number from 1 and its latents")
    found: dict[str, Any] = {}
    if step is not None:
        found["step"] = {"number": int(step), "timestep": _number(timestep), "guidance": _number(guidance)}
        found["step"] |= _described(latents)
    if noise is not None:
        found["noise"] = _noise(noise)
    if embeddings is not None:
        found["embeddings"] = ["" if each is None else digest(_tensor(each)) for each in embeddings]
    if scaling is not None:
        found["scaling"] = str(scaling)
    if settings is not None:
        found["settings"] = settings
    text = json.dumps(found, default=str, allow_nan=False)
    path = Path(file)
    begins = not path.is_file()
    with path.open("a", encoding="utf-8") as opened:
        if begins:
            opened.write(json.dumps({"spacediff_trace": VERSION}) + "\n")
        if found:
            opened.write(text + "\n")


def _described(latents: Any) -> dict[str, Any]:
    tensor = _tensor(latents)
    mean, std, norm, nonfinite = statistics(tensor)
    numbers = {"mean": mean, "std": std, "norm": norm, "nonfinite": nonfinite}
    return {"digest": digest(tensor), **numbers, "sketch": sketch(tensor)}


def _noise(noise: Any) -> dict[str, Any]:
    tensor = _tensor(noise)
    mean, std, _, _ = statistics(tensor)
    low, high = extremes(tensor)
    kind = {
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "device": tensor.device.type,
    }
    return {
        "digest": digest(tensor),
        "mean": mean,
        "std": std,
        "low": low,
        "high": high,
        **kind,
        "sketch": sketch(tensor),
    }


def _tensor(values: Any) -> Any:
    import torch

    return values.detach() if isinstance(values, torch.Tensor) else torch.as_tensor(values)


def _number(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
