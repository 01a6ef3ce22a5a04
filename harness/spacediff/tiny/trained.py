"""The trained tiny CogVideoX: its sizes, the weights in the package, and how the pipeline is built from them."""

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
    scaling_factor=1.0,  # that of the shipped weights is stored next to them
)

_COMPONENTS = ("text_encoder", "transformer", "vae")
_ABOUT = "about.json"
FILES = (*(f"{component}.safetensors" for component in _COMPONENTS), _ABOUT)
"""The files of a folder with weights."""


def build_untrained(seed: int) -> Any:
    """Build the pipeline with torch's initial weights, in float32."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return assemble(SIZES, build_tokenizer(words()))


def write_weights(pipe: Any, folder: Path) -> None:
    """Write the trained weights as safetensors in bfloat16, and the scaling factor of the latents."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    for component in _COMPONENTS:
        state = {name: value.to("cpu", torch.bfloat16).contiguous() for name, value in _parameters(pipe, component)}
        save_file(state, folder / f"{component}.safetensors")
    about = {"scaling_factor": pipe.vae.config.scaling_factor}
    (folder / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    for name in FILES:
        (folder / name).chmod(0o644)  # with safetensors' own mode, other users cannot read an installed package


def build_trained(folder: Path = WEIGHTS) -> Any:
    """Build the trained pipeline in float32.

    Raises:
        CheckpointUnavailable: The weights are missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        pipe = assemble(replace(SIZES, scaling_factor=float(about["scaling_factor"])), build_tokenizer(words()))
        for component in _COMPONENTS:
            _load_weights(pipe, component, load_file(folder / f"{component}.safetensors"))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointUnavailable(
            f"the weights of the tiny model are missing or damaged: {failure(error)}",
            hint="install spacediff again; builtin:tiny-cogvideox-random needs no weights",
        ) from error
    return pipe


def _load_weights(pipe: Any, component: str, state: dict[str, Any]) -> None:
    """Copy weights into a component of the pipeline.

    Raises:
        ValueError: Names or shapes are not those of the component.
    """
    parameters = dict(_parameters(pipe, component))
    if {name: value.shape for name, value in parameters.items()} != {name: each.shape for name, each in state.items()}:
        raise ValueError(f"{component}.safetensors does not have the weights of its model")
    for name, parameter in parameters.items():
        parameter.copy_(state[name])


def _parameters(pipe: Any, component: str) -> list[tuple[str, Any]]:
    return [(name, parameter.data) for name, parameter in getattr(pipe, component).named_parameters()]
