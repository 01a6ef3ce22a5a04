"""The trained tiny CogVideoX: its sizes, its weights as the package ships them, and the pipeline that they make."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from spacediff.errors import CheckpointUnavailable, failure
from spacediff.tiny.architecture import Sizes, assemble
from spacediff.tiny.tokenizer import build_tokenizer
from spacediff.tiny.world import words

WEIGHTS = Path(__file__).parent / "weights"

SIZES = Sizes(
    text_width=64,
    text_layers=2,
    time_width=64,
    heads=5,
    head_width=32,
    layers=4,
    channels=(16, 16, 32, 32),
    scaling_factor=1.0,  # the shipped one stands beside the weights
)

_PARTS = ("text_encoder", "transformer", "vae")
_ABOUT = "about.json"
FILES = (*(f"{part}.safetensors" for part in _PARTS), _ABOUT)
"""What a folder of weights holds."""


def build_untrained(seed: int) -> Any:
    """Return the pipeline as torch's constructors draw it, in float32."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return assemble(SIZES, build_tokenizer(words()))


def write_weights(pipe: Any, folder: Path) -> None:
    """Write what was trained: safetensors in bfloat16, and the scaling factor of the latents."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
        state = {name: value.to("cpu", torch.bfloat16).contiguous() for name, value in _parameters(pipe, part)}
        save_file(state, folder / f"{part}.safetensors")
    about = {"scaling_factor": pipe.vae.config.scaling_factor}
    (folder / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    for name in FILES:
        (folder / name).chmod(0o644)  # safetensors' own mode keeps an installed package from other users


def build_trained(folder: Path = WEIGHTS) -> Any:
    """Return the trained pipeline in float32.

    Raises:
        CheckpointUnavailable: The weights are missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        pipe = assemble(replace(SIZES, scaling_factor=float(about["scaling_factor"])), build_tokenizer(words()))
        for part in _PARTS:
            _fill(pipe, part, load_file(folder / f"{part}.safetensors"))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointUnavailable(
            f"the weights of the tiny model are missing or damaged: {failure(error)}",
            hint="install spacediff again; builtin:tiny-cogvideox-random needs none",
        ) from error
    return pipe


def _fill(pipe: Any, part: str, held: dict[str, Any]) -> None:
    """Copy weights into a model.

    Raises:
        ValueError: They are not its own.
    """
    parameters = dict(_parameters(pipe, part))
    if {name: value.shape for name, value in parameters.items()} != {name: each.shape for name, each in held.items()}:
        raise ValueError(f"{part}.safetensors holds other weights than its model has")
    for name, parameter in parameters.items():
        parameter.copy_(held[name])


def _parameters(pipe: Any, part: str) -> list[tuple[str, Any]]:
    return [(name, parameter.data) for name, parameter in getattr(pipe, part).named_parameters()]
