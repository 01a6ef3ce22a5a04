"""What one generation looked like from inside, step by step, and where two of them first diverge."""

from __future__ import annotations

from enum import StrEnum

from spacediff.record.base import Record
from spacediff.record.fact import Fact


class NoiseRecord(Record):
    """The noise that a generation starts from.

    Attributes:
        digest: SHA-256 of dtype, shape and bytes, shortened.
        mean: Mean of the finite values.
        std: Standard deviation of the finite values.
        low: The smallest of them.
        high: The largest.
        shape: Shape of the tensor.
        dtype: Dtype that it was drawn in.
        device: Device that it was drawn on.
    """

    digest: str
    mean: float
    std: float
    low: float
    high: float
    shape: list[int]
    dtype: str
    device: str


class StepRecord(Record):
    """One call of the scheduler, with the latents that it returned.

    Attributes:
        timestep: The timestep; None when the pipeline does not say.
        guidance: The guidance scale that was in force, which may change inside the loop; None where there is none.
        digest: SHA-256 of the latents, in the dtype that the next step gets them in, shortened.
        mean: Mean of their finite values.
        std: Standard deviation of their finite values.
        norm: Euclidean norm of their finite values.
        nonfinite: How many values are infinite or not a number.
        noise: SHA-256 of the noise that the scheduler drew in this step, shortened; empty when it drew none.
    """

    timestep: float | None
    guidance: float | None
    digest: str
    mean: float
    std: float
    norm: float
    nonfinite: int
    noise: str = ""


class StageRecord(Record):
    """What a stage of a generation took.

    Attributes:
        name: `text`, `denoising`, `decoding`.
        seconds: Its duration.
        peak_bytes: The most memory in use: allocated on the accelerator that the pipeline computes on; for one on the
            CPU, resident in its process, read after every step.
        taken_over: Whether an earlier run spent this and the run only took over what came out.
    """

    name: str
    seconds: float
    peak_bytes: int
    taken_over: bool = False


class TraceRecord(Record):
    """What one local generation looked like from inside.

    Attributes:
        embeddings: SHA-256 of each text embedding that the pipeline made, shortened; empty text for one not needed.
        noise: The noise it started from; None when it drew none.
        steps: The denoising steps.
        decoded: SHA-256 of the pictures as the VAE decoded them, shortened; empty when nothing was decoded.
        stages: Duration and memory.
        latents: File with the latents before the first step and after each, relative to the audit folder; empty when
            they are not kept.
        shared: What was taken over from an earlier run that shares everything before: `text embeddings`, `latents`.
        own_errors: For a run whose every step was fed another run's latents: how far each step's result lies from
            that run's, relative to its norm.
    """

    embeddings: list[str] = []
    noise: NoiseRecord | None = None
    steps: list[StepRecord] = []
    decoded: str = ""
    stages: list[StageRecord] = []
    latents: str = ""
    shared: list[str] = []
    own_errors: list[float] = []


class Stage(StrEnum):
    """Where two generations first diverge."""

    NOWHERE = "nowhere"
    TEXT = "text embedding"
    NOISE = "initial noise"
    STEP = "denoising"
    DECODING = "decoding"
    ENCODING = "encoding"


class TraceComparisonRecord(Record):
    """Two traces compared with each other.

    Attributes:
        prompt: Name of the prompt.
        reference: Name of the run that is compared with.
        candidate: Name of the run compared with it.
        stage: Where they first diverge.
        step: Number of the first step that differs, from 1; None where it is not a step.
        steps: How many steps the candidate has; 0 when that is unknown.
        differing: What of the conditions differs there, such as the guidance scale.
        distances: Relative distance of the latents, norm of the difference by the reference's norm: before the first
            step, then after each; None for what cannot be compared. Empty when latents are not kept.
    """

    prompt: str
    reference: str
    candidate: str
    stage: Stage
    step: int | None = None
    steps: int = 0
    differing: list[Fact] = []
    distances: list[float | None] = []
