"""What an observer has seen of one pipeline call, as plain frozen data.

A digest is the SHA-256 of a tensor's dtype, shape and bytes, shortened to 96 bits. Statistics are those of the finite
values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Noise:
    """The noise that the latents were made of.

    Attributes:
        digest: Its digest.
        mean: Mean.
        std: Standard deviation.
        low: The smallest value.
        high: The largest.
        shape: Shape of the tensor.
        dtype: Dtype that it was drawn in, such as `float32`.
        device: Type of the device that it was drawn on, such as `cpu`.
    """

    digest: str
    mean: float
    std: float
    low: float
    high: float
    shape: tuple[int, ...]
    dtype: str
    device: str


@dataclass(frozen=True)
class Step:
    """One call of the scheduler, with the latents that it returned.

    Attributes:
        timestep: The timestep; None when the pipeline does not say.
        guidance: The guidance scale in force; None where there is none.
        digest: Digest of the latents, in the dtype that the next step gets them in.
        mean: Mean of the latents.
        std: Standard deviation.
        norm: Euclidean norm.
        nonfinite: Number of values that are infinite or not a number.
        noise: Digest of the noise that the scheduler drew in this step; empty when it drew none.
    """

    timestep: float | None
    guidance: float | None
    digest: str
    mean: float
    std: float
    norm: float
    nonfinite: int
    noise: str


@dataclass(frozen=True)
class StageCost:
    """What a stage of a generation took.

    Attributes:
        name: `text`, `denoising` or `decoding`.
        seconds: Its duration.
        peak_bytes: The most memory in use: allocated on the CUDA device where there is one, else resident in this
            process, read after every step.
    """

    name: str
    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Observation:
    """What an observer has seen.

    Attributes:
        embeddings: Digests of the text embeddings; empty text for one that was not needed.
        noise: The noise that the latents were made of; None when none was drawn.
        steps: The denoising steps.
        decoded: Digest of what the VAE decoded; empty when nothing was decoded.
        stages: Duration and memory of the stages that have ended.
        latents: The latents before the first step and after each, on the CPU, in the dtype that the pipeline has
            them in; empty when they are not kept.
        loops: How often latents were prepared.
        interleaved: Whether a step came after something was decoded, as where clips are made piece by piece.
        encoded: Whether the VAE encoded something first, as for image-to-video.
    """

    embeddings: tuple[str, ...] = ()
    noise: Noise | None = None
    steps: tuple[Step, ...] = ()
    decoded: str = ""
    stages: tuple[StageCost, ...] = ()
    latents: tuple[torch.Tensor, ...] = ()
    loops: int = 0
    interleaved: bool = False
    encoded: bool = False
