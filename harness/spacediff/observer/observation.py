"""The data that an observer records of one pipeline call, as frozen dataclasses.

A digest is the SHA-256 of a tensor's dtype, shape and bytes, shortened to 96 bits. Statistics are computed from the
finite values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Noise:
    """The noise that the initial latents were made from.

    Attributes:
        digest: Its digest.
        mean: Mean.
        std: Standard deviation.
        low: The smallest value.
        high: The largest.
        shape: Shape of the tensor.
        dtype: Dtype in which it was drawn, such as `float32`.
        device: Type of the device on which it was drawn, such as `cpu`.
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
        timestep: The timestep; None if it is unknown.
        guidance: The guidance scale at this step; None if there is none.
        digest: Digest of the latents, in the dtype in which the next step receives them.
        mean: Mean of the latents.
        std: Standard deviation.
        norm: Euclidean norm.
        nonfinite: Number of values that are infinite or not a number.
        noise: Digest of the noise that the scheduler drew in this step; empty if it drew none.
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
    """Duration and memory of one stage of a generation.

    Attributes:
        name: `text`, `denoising` or `decoding`.
        seconds: Its duration.
        peak_bytes: Peak memory: allocated on the accelerator that the pipeline computes on; resident in this process,
            read after every step, for a pipeline on the CPU.
    """

    name: str
    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Observation:
    """The data of one pipeline call.

    Attributes:
        embeddings: Digests of the text embeddings; an empty text for one that the pipeline did not compute.
        noise: The noise that the initial latents were made from; None if none was drawn.
        steps: The denoising steps.
        decoded: Digest of the VAE's output; empty if nothing was decoded.
        stages: Duration and memory of the finished stages.
        latents: The latents before the first step and after each step, on the CPU, in the dtype of the pipeline; empty
            if they are not kept.
        loops: How often latents were prepared.
        interleaved: Whether a step came after a decoding, as in pipelines that generate a clip in pieces.
        encoded: Whether the VAE encoded an input before the denoising, as for image-to-video.
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
