"""What the traces of a prompt's runs show together: where runs diverge, what guidance was applied, what was saved."""

from __future__ import annotations

from typing import Literal

from spacediff.record.base import Record
from spacediff.record.comparison import Verdict
from spacediff.record.trace import Stage


class LoopReferenceRecord(Record):
    """The run that the traces of a prompt are compared with.

    Attributes:
        run: Its name.
        role: `reference`; `stand-in` for a reference without a trace, whose clip it reproduces; or `baseline`, where
            no run does.
        hosted: Whether the prompt's reference comes from a Space, an API or a program.
        here: Whether that run was generated on this machine.
        verdict: How a stand-in compares with the reference; None for the others.
    """

    run: str
    role: Literal["reference", "stand-in", "baseline"]
    hosted: bool = False
    here: bool = False
    verdict: Verdict | None = None


class DivergenceRecord(Record):
    """Runs that first diverge in the same stage.

    Attributes:
        stage: The stage.
        step: Number of the denoising step, from 1; None for another stage.
        runs: Names of the runs, in order of the plan.
    """

    stage: Stage
    step: int | None = None
    runs: list[str]


class GuidanceRangeRecord(Record):
    """The lowest and the highest guidance scale that some runs applied.

    Attributes:
        runs: Names of the runs, which applied the same scale in every step.
        low: The lowest value.
        high: The highest value.
    """

    runs: list[str]
    low: float
    high: float


class GuidanceChangeRecord(Record):
    """Guidance scales that change inside the loop in the same way.

    Attributes:
        ranges: The runs by the scale that they applied.
        dynamic: Whether dynamic CFG is switched on in these runs.
        first_timestep: The timestep of their first step, where it is larger than the number of steps; else None.
        steps: The number of steps.
        turns: How often a scale turns from rising to falling or back.
    """

    ranges: list[GuidanceRangeRecord]
    dynamic: bool
    first_timestep: float | None
    steps: int
    turns: int


class NonfiniteRecord(Record):
    """Latents or decoded pictures with values that are infinite or not a number.

    Attributes:
        run: Name of the run.
        step: The first such step, from 1; None where only the decoded pictures have such values.
        count: How many such values there are after it.
    """

    run: str
    step: int | None
    count: int


class IsolatedStepsRecord(Record):
    """A run whose every step was fed another run's latents, so that a step shows only its own error.

    Attributes:
        run: Name of the run.
        variant: Name of the run whose steps these are.
        shares: Each step's share of the sum of own errors; empty where that sum is zero.
        largest: Numbers of the fewest steps that make at least half of the sum, the largest error first.
        largest_share: The share that these steps make.
        other: Name of the run that the variant's distances were measured from, where it is not the run whose latents
            were fed, so that the two cannot be compared; else empty.
    """

    run: str
    variant: str
    shares: list[float] = []
    largest: list[int] = []
    largest_share: float = 0.0
    other: str = ""


class SharingRecord(Record):
    """What runs saved by taking over what an earlier run computed.

    Attributes:
        embeddings: Names of the runs that took over text embeddings, but not latents.
        embeddings_seconds: The longest text stage of these runs; None where none was timed.
        encoding_seconds: The shortest text stage of the runs that encoded the prompt; None where none was timed.
        latents: Names of the runs that took over latents.
        spared_seconds: What the stages took whose results these runs took over.
    """

    embeddings: list[str] = []
    embeddings_seconds: float | None = None
    encoding_seconds: float | None = None
    latents: list[str] = []
    spared_seconds: float = 0.0


class LoopRecord(Record):
    """What the traces of one prompt show. All of it follows from the runs, the traces and the comparisons.

    Attributes:
        prompt: Name of the prompt.
        reference: The run that the traces are compared with; None where there is only one trace.
        divergences: Where runs first diverge from it, the earliest stage first; at the end, with the stage `nowhere`,
            runs that agree in what was observed or can be seen, but not in every stage.
        identical: Names of the runs that do not diverge in any stage, all of which were observed.
        without_distances: Names of the runs whose latents could not be compared.
        guidance: The guidance scale, where it is the same in every step of all runs; else None.
        guidance_changes: Guidance scales that change inside the loop.
        isolated: Runs whose steps were isolated.
        nonfinite: Runs with latents that are infinite or not a number.
        sharing: What was saved by taking over results of earlier runs.
    """

    prompt: str
    reference: LoopReferenceRecord | None = None
    divergences: list[DivergenceRecord] = []
    identical: list[str] = []
    without_distances: list[str] = []
    guidance: float | None = None
    guidance_changes: list[GuidanceChangeRecord] = []
    isolated: list[IsolatedStepsRecord] = []
    nonfinite: list[NonfiniteRecord] = []
    sharing: SharingRecord = SharingRecord()
