"""What a pipeline's components need besides their weights, measured on meta tensors by a process of its own.

Starting the process and importing torch and diffusers takes seconds, so it is started only for checkpoints that may not
fit, once for all runs that share one.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spacediff.errors import failure
from spacediff.processes import child_environment, python

_SECONDS = 180
"""An untrusted configuration may describe a model of any size."""


@dataclass(frozen=True)
class Call:
    """A call of the pipeline to measure.

    Attributes:
        arguments: Arguments of the call; the prompt and the number of steps do not matter.
        vae: Switches of the VAE, such as `tiling`, and the sizes of its tiles.
        fused: Whether attention runs in a kernel that does not keep the matrix of all pairs.
    """

    arguments: Mapping[str, Any]
    vae: Mapping[str, Any]
    fused: bool = True


@dataclass(frozen=True)
class Activations:
    """What one call needs.

    Attributes:
        peaks: Component to the most bytes alive at once besides its weights.
        latents: Number of values of the latents.
        clip: Frames, height and width of the clip; empty if it is unknown.
    """

    peaks: Mapping[str, int]
    latents: int
    clip: tuple[int, ...]


@dataclass(frozen=True)
class Measured:
    """What the measuring process found.

    Attributes:
        memory: Free and total bytes of the device; None if they are unknown.
        extra: Component to the bytes that it keeps in float32 beyond what its data type needs.
        calls: What each call needs, or the reason why that is unknown.
    """

    memory: tuple[int, int] | None
    extra: Mapping[str, int]
    calls: tuple[Activations | str, ...]


def measure(
    folder: Path, calls: Sequence[Call], *, pipeline: str | None = None, dtype: str | None, device: str | None
) -> Measured:
    """Measure calls of a checkpoint's pipeline; its weights are neither needed nor read.

    Args:
        folder: The folder with its configurations and tokenizers.
        calls: The calls.
        pipeline: Pipeline class; the checkpoint's own by default.
        dtype: The data type that it is loaded with; float32 by default.
        device: The accelerator whose free memory is asked for; None for none.
    """
    request = {
        "folder": str(folder),
        "pipeline": pipeline,
        "dtype": dtype,
        "device": device,
        "calls": [asdict(call) for call in calls],
    }
    answer = _answer(request)
    error = answer.get("error")
    return Measured(
        memory=tuple(answer["memory"]) if answer.get("memory") else None,
        extra=answer.get("extra", {}),
        calls=(error,) * len(calls) if error else _read(answer["calls"], dtype),
    )


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    environment = child_environment() | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            python("-m", "spacediff.fitting.measuring"), input=json.dumps(request), capture_output=True, text=True,
            timeout=_SECONDS, check=True, env=environment, encoding="utf-8", errors="replace",
        )  # fmt: skip
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"error": f"it takes longer than {_SECONDS} s"}
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        return {"error": failure(error)}
    return answer


def _read(calls: Sequence[Mapping[str, Any]], dtype: str | None) -> tuple[Activations | str, ...]:
    """Read the answer; a call whose decoding was cut off gets the clip of another one with as many latents."""
    clips = {each["latents"]: each["clip"] for each in calls if each.get("clip")}
    found: list[Activations | str] = []
    for each in calls:
        if "error" in each:
            found.append(str(each["error"]))
            continue
        shape, peaks = each["clip"] or clips.get(each["latents"], []), dict(each["peaks"])
        if each["cut_off"] and "vae" in peaks:  # tiles are kept until they are joined
            peaks["vae"] += 2 * math.prod(shape) * (4 if dtype in {None, "float32"} else 2)
        found.append(Activations(peaks, each["latents"], _frames_and_size(shape)))
    return tuple(found)


def _frames_and_size(shape: Sequence[int]) -> tuple[int, ...]:
    """Return frames, height and width of `[B, C, T, H, W]`, or of `[B, C, H, W]`, where each sample is a frame."""
    match shape:
        case [_, _, frames, height, width] | [frames, _, height, width]:
            return frames, height, width
    return ()
