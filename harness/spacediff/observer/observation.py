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
        drawn: Whether it was observed when it was drawn; if not, it is what the first step was given.
        sketch: Its sketch; empty if none was asked for.
        head: Its first 16 values; empty without a sketch.
    """

    digest: str
    mean: float
    std: float
    low: float
    high: float
    shape: tuple[int, ...]
    dtype: str
    device: str
    drawn: bool = True
    sketch: tuple[float, ...] = ()
    head: tuple[float, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step of the denoising, with the latents that the scheduler returned.

    A pipeline that steps each frame with its own copy of the scheduler makes one step of several calls; then the
    latents are those of the frames, stacked.

    Attributes:
        timestep: The timestep; None if it is unknown.
        guidance: The scale of the classifier-free guidance in force, the mean where each frame has its own; None where
            no predictions are combined.
        digest: Digest of the latents, in the dtype in which the next step receives them.
        mean: Mean of the latents.
        std: Standard deviation.
        norm: Euclidean norm.
        nonfinite: Number of values that are infinite or not a number.
        noise: Digest of the noise that the scheduler drew in this step; empty if it drew none.
        guidance_range: The lowest and the highest scale, where each frame has its own.
        embedded_guidance: The scale that a distilled model was given as an argument; None if it takes none.
        predictions: Number of predictions for each sample that the step combined; None if they were not seen.
        signal: Factor of the clean sample in the latents that the step was given, by the scheduler's definition; None
            if it is unknown.
        sketch: Sketch of the latents; empty if none was asked for.
    """

    timestep: float | None
    guidance: float | None
    digest: str
    mean: float
    std: float
    norm: float
    nonfinite: int
    noise: str
    guidance_range: tuple[float, float] | None = None
    embedded_guidance: float | None = None
    predictions: int | None = None
    signal: float | None = None
    sketch: tuple[float, ...] = ()


@dataclass(frozen=True)
class StageCost:
    """Duration and memory of one stage of a generation.

    Attributes:
        name: `text`, `denoising` or `decoding`.
        seconds: Its duration.
        peak_bytes: Peak memory: allocated on the accelerator that the pipeline computes on; for a pipeline on the CPU,
            resident in this process, as the kernel of Linux counts it; on other systems, and in
            recordings where an earlier stage took more, what was seen after every step.
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
        inputs: Digests of what the VAE and the image encoder made of input pictures.
        decoded: Digest of the decoded pictures, however they were cut into pieces; empty if nothing was decoded.
        decoded_nonfinite: Number of values in them that are infinite or not a number.
        stages: Duration and memory of the finished stages.
        latents: The latents before the first step and after each step, on the CPU, in the dtype of the pipeline; empty
            if they are not kept.
        loops: How often latents were prepared.
        interleaved: Whether a step came after a decoding, as in pipelines that generate a clip in pieces.
        encoded: Whether the VAE encoded an input before the denoising, as for image-to-video.
        copied: Whether the steps were made by copies of the scheduler.
        scaling: Scaling of the latents: `variance preserving`, `variance exploding` or `flow matching`; empty if it is
            unknown.
        unobserved: What the pipeline has but was not seen: `text`, `noise`, `steps`, `decoding`.
    """

    embeddings: tuple[str, ...] = ()
    noise: Noise | None = None
    steps: tuple[Step, ...] = ()
    inputs: tuple[str, ...] = ()
    decoded: str = ""
    decoded_nonfinite: int = 0
    stages: tuple[StageCost, ...] = ()
    latents: tuple[torch.Tensor, ...] = ()
    loops: int = 0
    interleaved: bool = False
    encoded: bool = False
    copied: bool = False
    scaling: str = ""
    unobserved: tuple[str, ...] = ()
