"""What one generation looked like from inside, step by step, and where two of them first diverge."""

from __future__ import annotations

from enum import StrEnum

from spacediff.record.base import Record
from spacediff.record.fact import Fact

LATENTS = "latents"
"""Name of the denoising among what was taken over from an earlier run."""


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
        drawn: Whether it was observed when it was drawn; if not, it is what the first step was given.
        sketch: Numbers from which distances between noises are estimated; empty for runs of an audit.
        head: The first values, by which a seed is soon ruled out; empty for runs of an audit.
        origin: For a recording, the seed that gives it and how it is drawn, or that none of the usual ones does.
    """

    digest: str
    mean: float
    std: float
    low: float
    high: float
    shape: list[int]
    dtype: str
    device: str
    drawn: bool = True
    sketch: list[float] = []
    head: list[float] = []
    origin: Fact | None = None


class StepRecord(Record):
    """One step of the denoising, with the latents that the scheduler returned.

    Attributes:
        timestep: The timestep; None when the pipeline does not say.
        guidance: The scale of the classifier-free guidance in force, which may change inside the loop; the mean, where
            each frame has its own; None where no predictions are combined.
        digest: SHA-256 of the latents, in the dtype that the next step gets them in, shortened.
        mean: Mean of their finite values.
        std: Standard deviation of their finite values.
        norm: Euclidean norm of their finite values.
        nonfinite: How many values are infinite or not a number.
        noise: SHA-256 of the noise that the scheduler drew in this step, shortened; empty when it drew none.
        guidance_range: The lowest and the highest scale, where each frame has its own.
        embedded_guidance: The scale that a distilled model was given as an argument; None if it takes none.
        predictions: How many predictions for each sample the step combined; None when they were not seen.
        signal: Factor of the clean sample in the latents that the step was given; None when it is unknown.
        sketch: Numbers from which distances between latents are estimated; empty for runs of an audit.
    """

    timestep: float | None
    guidance: float | None
    digest: str
    mean: float
    std: float
    norm: float
    nonfinite: int
    noise: str = ""
    guidance_range: tuple[float, float] | None = None
    embedded_guidance: float | None = None
    predictions: int | None = None
    signal: float | None = None
    sketch: list[float] = []

    @property
    def applied_guidance(self) -> float | None:
        """The scale in force: of classifier-free guidance, else the one that the model itself was given."""
        return self.embedded_guidance if self.guidance is None else self.guidance


class StageRecord(Record):
    """What a stage of a generation took.

    Attributes:
        name: `text`, `denoising`, `decoding`.
        seconds: Its duration.
        peak_bytes: The most memory in use: allocated on the accelerator that the pipeline computes on; for one on the
            CPU, resident in its process, as the kernel of Linux counts it; on other systems, and in
            recordings where an earlier stage took more, what was seen after every step.
        taken_over: Whether an earlier run spent this and the run only took over what came out.
    """

    name: str
    seconds: float
    peak_bytes: int
    taken_over: bool = False


class Stage(StrEnum):
    """Where two generations first diverge; `UNOBSERVED` is somewhere between what was seen of both."""

    NOWHERE = "nowhere"
    TEXT = "text embedding"
    INPUT = "input encoding"
    NOISE = "initial noise"
    STEP = "denoising"
    UNOBSERVED = "unobserved"
    DECODING = "decoding"
    ENCODING = "encoding"


class TransplantRecord(Record):
    """What one stage of a run made of a recording's tensors, compared with what the recording has.

    Attributes:
        stage: `TEXT` and `NOISE`, which start from nothing of the recording; `STEP`; `DECODING`.
        first: For steps, the first that followed the tensors that were fed, from 1.
        last: The step after which the latents are compared.
        equal: Whether both are the same, bit for bit.
        distance: Norm of the difference by that of the recording's tensor; for the decoding, the largest difference of
            the frames in levels; None if it is unknown.
    """

    stage: Stage
    first: int | None = None
    last: int | None = None
    equal: bool
    distance: float | None


class TraceRecord(Record):
    """What one local generation looked like from inside.

    Attributes:
        embeddings: SHA-256 of each text embedding that the pipeline made, shortened; empty text for one not needed.
        inputs: SHA-256 of each encoded input picture, shortened.
        noise: The noise it started from; None when it drew none.
        steps: The denoising steps.
        decoded: SHA-256 of the pictures as the VAE decoded them, however they were cut into pieces, shortened; empty
            when nothing was decoded.
        decoded_nonfinite: How many of their values are infinite or not a number.
        stages: Duration and memory.
        latents: File with the latents before the first step and after each, relative to the audit folder; empty when
            they are not kept.
        shared: What was taken over from an earlier run that shares everything before: `text embeddings`, `latents`.
        own_errors: For a run whose every step was fed another run's latents: how far each step's result lies from
            that run's, relative to its norm.
        scaling: How the scheduler scales the latents: `variance preserving`, `variance exploding`, `flow matching`;
            empty when it is unknown.
        unobserved: What the pipeline has but was not seen: `text`, `noise`, `steps`, `decoding`; of a private
            recording also `inputs`; of a program that writes its own trace also `inputs`, and `conditions` of the steps
            other than those that are there.
        transplant: For a run whose stages were fed a recording's tensors: what each made of them.
    """

    embeddings: list[str] = []
    inputs: list[str] = []
    noise: NoiseRecord | None = None
    steps: list[StepRecord] = []
    decoded: str = ""
    decoded_nonfinite: int = 0
    stages: list[StageRecord] = []
    latents: str = ""
    shared: list[str] = []
    own_errors: list[float] = []
    scaling: str = ""
    unobserved: list[str] = []
    transplant: list[TransplantRecord] = []

    @property
    def steps_made(self) -> int | None:
        """Number of steps that were computed, 0 where the denoising was taken over; None where none was observed."""
        if not self.steps:
            return None
        return 0 if LATENTS in self.shared else len(self.steps)


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
            step, then after each; None for what cannot be compared. Empty when neither latents nor sketches are kept.
        estimated: Whether the distances are estimated from sketches, as for recordings.
        scalings: How the schedulers of the reference and of the candidate scale their latents, where they do it
            differently. The distances are then those of the latents in one scaling, or empty where there is none.
        unobserved: What was not seen of one run or the other: `text`, `inputs`, `noise`, `steps`, `decoding`, `frames`.
    """

    prompt: str
    reference: str
    candidate: str
    stage: Stage
    step: int | None = None
    steps: int = 0
    differing: list[Fact] = []
    distances: list[float | None] = []
    estimated: bool = False
    scalings: tuple[str, str] | None = None
    unobserved: list[str] = []
