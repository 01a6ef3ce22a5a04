"""The end of a denoising: what a later run needs to go on from there, and the file that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacediff import devices
from spacediff.observer.observation import Noise, Observation, StageCost, Step
from spacediff.sources.local.tensor_files import Keep, Take, read_tensors, write_tensors
from spacediff.sources.local.trees import described, rebuilt

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class States:
    """The states of the random generators.

    Attributes:
        own: State of the run's generator; None if it uses the global one.
        cpu: State of torch's global generator on the CPU.
        device: State of the global generator of the accelerator that the pipeline computes on; None on the CPU.
    """

    own: torch.Tensor | None
    cpu: torch.Tensor
    device: torch.Tensor | None

    @classmethod
    def now(cls, generator: torch.Generator | None, device: torch.device) -> States:
        """Read the present states of a run's generator and of the global ones of the CPU and a device."""
        import torch

        own = None if generator is None else generator.get_state()
        return cls(own, torch.get_rng_state(), devices.rng_state(str(device)))

    def restore(self, generator: torch.Generator | None, device: torch.device) -> None:
        """Give the generators these states."""
        import torch

        if generator is not None and self.own is not None:
            generator.set_state(self.own)
        torch.set_rng_state(self.cpu)
        if self.device is not None:
            devices.set_rng_state(str(device), self.device)


@dataclass(frozen=True)
class Denoised:
    """The state of a generation at the end of its denoising; every tensor is on the CPU.

    Attributes:
        seen: The observation up to here.
        result: The result of the scheduler's last `step`.
        outputs: The last output of each denoiser as a description, in which a tensor is its shape and dtype.
        embeddings: The results of the text encoding, by what was asked for.
        made_by: The run that computed it.
        shared: Names of the results that this run reused from an earlier one.
        states: The states of the generators.
        vae: The VAE's settings if it encoded an input before the denoising; None if it did not.
        to_decode: Digest of the first latents that were decoded, to see whether a run that continues decodes the same.
    """

    seen: Observation
    result: Any
    outputs: Mapping[str, Any]
    embeddings: Mapping[str, Any]
    made_by: str
    shared: tuple[str, ...]
    states: States
    vae: str | None
    to_decode: str


def shape_of(tensor: torch.Tensor) -> list[Any]:
    """Return shape and dtype of a tensor as JSON."""
    return [list(tensor.shape), str(tensor.dtype).removeprefix("torch.")]


def zeros_of(shape: Any, device: torch.device) -> torch.Tensor:
    """Return zeros of the shape and dtype that `shape_of` has returned."""
    import torch

    sizes, dtype = shape
    return torch.zeros(sizes, dtype=getattr(torch, dtype), device=device)


def write_denoised(end: Denoised, path: Path) -> None:
    """Write the end of a denoising.

    Raises:
        OSError: The file cannot be written.
        TypeError: A result has a type that cannot be described.
    """

    def describe(keep: Keep) -> dict[str, Any]:
        seen = asdict(replace(end.seen, latents=()))
        return {
            "seen": seen | {"latents": [keep(each) for each in end.seen.latents]},
            "result": described(end.result, keep),
            "outputs": dict(end.outputs),
            "embeddings": {key: described(value, keep) for key, value in end.embeddings.items()},
            "made_by": end.made_by,
            "shared": list(end.shared),
            "states": {name: None if state is None else keep(state) for name, state in vars(end.states).items()},
            "vae": end.vae,
            "to_decode": end.to_decode,
        }

    write_tensors(path, describe)


def read_denoised(path: Path) -> Denoised:
    """Read the end of a denoising.

    Raises:
        ValueError: The file is not one that `write_denoised` wrote, or a tensor is not what was written.
        OSError: It cannot be read.
    """
    return read_tensors(path, _rebuilt)


def latents_after(path: Path, step: int) -> torch.Tensor | None:
    """Read the latents after one step, counted from 1, of the end of a denoising; None where they cannot be read."""

    def rebuild(text: dict[str, Any], take: Take) -> torch.Tensor | None:
        kept = text["seen"]["latents"]
        return take(kept[step]) if step < len(kept) else None

    try:
        return read_tensors(path, rebuild)
    except (OSError, ValueError):
        return None


def _rebuilt(text: dict[str, Any], take: Take) -> Denoised:
    seen = text["seen"]
    noise = seen["noise"] and Noise(**seen["noise"] | {"shape": tuple(seen["noise"]["shape"])})
    observation = Observation(
        **seen
        | {
            "embeddings": tuple(seen["embeddings"]),
            "noise": noise,
            "inputs": tuple(seen["inputs"]),
            "steps": tuple(_step(step) for step in seen["steps"]),
            "stages": tuple(StageCost(**stage) for stage in seen["stages"]),
            "unobserved": tuple(seen["unobserved"]),
            "latents": tuple(take(name) for name in seen["latents"]),
        }
    )
    states: dict[str, Any] = {name: None if kept is None else take(kept) for name, kept in text["states"].items()}
    return Denoised(
        observation,
        rebuilt(text["result"], take),
        text["outputs"],
        {key: rebuilt(value, take) for key, value in text["embeddings"].items()},
        str(text["made_by"]),
        tuple(text["shared"]),
        States(**states),
        text["vae"],
        str(text["to_decode"]),
    )


def _step(text: dict[str, Any]) -> Step:
    span = text["guidance_range"]
    return Step(**text | {"guidance_range": None if span is None else tuple(span)})
