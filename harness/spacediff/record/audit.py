"""The whole audit, as `audit.json` holds it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from spacediff.metric_info import MetricInfo
from spacediff.record.base import Record
from spacediff.record.cause import CauseRecord
from spacediff.record.comparison import ComparisonRecord, ControlRecord, ResolutionRecord
from spacediff.record.fact import Fact
from spacediff.record.forecast import ForecastRecord
from spacediff.record.history import HistoryRecord
from spacediff.record.loop import LoopRecord
from spacediff.record.overview import OverviewRecord
from spacediff.record.run import Ignored, RunRecord
from spacediff.record.samples import SamplesRecord
from spacediff.record.semantics import SemanticsRecord
from spacediff.record.stopped import DeterminismRecord
from spacediff.record.trace import TraceComparisonRecord

SCHEMA_VERSION: Literal[2] = 2


class InputRecord(Record):
    """A picture or video that a prompt gives to the pipeline, as the file is.

    Attributes:
        name: The argument of the pipeline that gets it, such as `image`.
        digest: SHA-256 of its content.
        width: Pixels, before anything is resized; 0 where it could not be decoded when the record was made.
        height: Pixels.
        video: Whether it is a video, of which the preview shows the first frame.
        preview: A PNG of at most 480 pixels, relative to the audit folder; empty where there is none.
    """

    name: str
    digest: str
    width: int = 0
    height: int = 0
    video: bool = False
    preview: str = ""


class PromptRecord(Record):
    """A prompt of the scenario.

    Attributes:
        name: Its name.
        text: What the clip should show; empty where it is private.
        seed: Its seed.
        used_seed: The seed that the local runs have in its place, since the Space says that it used that; None where
            they have the prompt's.
        used_text: The same of the text; empty where they have the prompt's.
        private: Whether its text and its pictures are kept out of everything that is shown.
        inputs: The pictures and videos that it gives to the pipeline; none where it is private.
    """

    name: str
    text: str
    seed: int
    used_seed: int | None = None
    used_text: str = ""
    private: bool = False
    inputs: list[InputRecord] = []


class GateStatus(StrEnum):
    """Whether the gate passed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_MEASURED = "not measured"
    NONE = "no gate"


class GateRecord(Record):
    """The gate's outcome with its reasons.

    Attributes:
        status: Whether it passed.
        variant: The variant that has to match the reference; empty for none.
        max_drift: The drift that it may have; None without a variant, and where groups are compared.
        max_worst_tile: The drift that its worst tile may have; None for no limit, and where `max_drift` is None.
        max_effect: Where groups are compared, the Cliff's delta that the variant's may have; else None.
        against: `accepted` where no variant may be worse than in the accepted state; else empty.
        reasons: What the status rests on.
    """

    status: GateStatus
    variant: str = ""
    max_drift: float | None = None
    max_worst_tile: float | None = None
    max_effect: float | None = None
    against: str = ""
    reasons: list[Fact] = []


class EnvironmentRecord(Record):
    """Versions and devices, of this machine and of the Space as far as they are known.

    Attributes:
        local: Name to text, such as `torch` to `2.13.0+cpu`.
        hosted: The same for the Space; empty when it says nothing.
        order: All names: those that differ first, then those that both sides report, then the rest.
        differing: The names that both sides report, with another text.
    """

    local: dict[str, str]
    hosted: dict[str, str] = {}
    order: list[str] = []
    differing: list[str] = []


class IgnoredRecord(Record):
    """An argument that was accepted but ignored, with the runs in which it was.

    Attributes:
        ignored: The argument.
        runs: Names of the runs.
    """

    ignored: Ignored
    runs: list[str]


class WarningRecord(Record):
    """A warning of runs, with the runs that gave it.

    Attributes:
        warning: What the reader should know.
        runs: Names of the runs.
    """

    warning: str
    runs: list[str]


class AuditRecord(Record):
    """A whole audit.

    Attributes:
        schema_version: Version of this schema; a reader refuses a newer one.
        spacediff_version: The program that wrote it.
        title: The scenario's title.
        question: The question in one sentence.
        scenario: The scenario's text, as it was run.
        scenario_name: File name of the scenario, without its folder.
        command: What repeats the audit.
        created: ISO 8601, UTC.
        finished: False after the audit was interrupted.
        seconds: Duration of the audit.
        prompts: The prompts.
        reference: Name of the run that the others of its prompt are compared with.
        runs: All runs, in the order of the plan.
        comparisons: All comparisons.
        metrics: What was measured between two clips, in order of display.
        measures: What was measured of each single clip, in order of display.
        controls: Comparisons whose outcome is known beforehand.
        resolutions: What the comparison could have seen, per prompt.
        traces: Local runs compared with each other step by step.
        semantics: What the clips show, per prompt, where the scenario names a model for it.
        samples: Groups of clips compared, for each prompt and candidate; empty where the scenario asks for none.
        cause: Which settings explain the gap, where the scenario asks for it.
        history: How this audit compares with an earlier one, where there is one.
        gate: The gate's outcome.
        environment: Versions and devices.
        forecast: What the audit was expected to take, and what it took; None where nothing was generated.
        determinism: Whether deterministic algorithms repeat the baseline; None where its re-run is equal or was not
            made.
        warnings: What the reader should know first.
        approximations: What the script does and the scenario does not say, so that the baseline is not the script.
        about_reference: What the reader should know of the reference: what a Space used in place of what it was asked
            for, how old a reference is that was kept, and whether there is none.
        local_comparisons: Where a prompt's reference is unavailable, how the runs of this machine compare with the
            baseline, on the scale; nothing of it says how they compare with the reference.
        overviews: What leads, per prompt.
        loops: What the traces show together, per prompt with a trace.
        ignored: Arguments that runs accepted but ignored, equal ones once.
        run_warnings: Warnings of runs, equal ones once.
        left_open: What was not measured or is not known, so that the answer does not rest on it; the weightiest first.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    spacediff_version: str
    title: str
    question: str
    scenario: str
    scenario_name: str
    command: str
    created: str
    finished: bool
    seconds: float
    prompts: list[PromptRecord]
    reference: str
    runs: list[RunRecord]
    comparisons: list[ComparisonRecord]
    metrics: list[MetricInfo]
    measures: list[MetricInfo] = []
    controls: list[ControlRecord] = []
    resolutions: list[ResolutionRecord] = []
    traces: list[TraceComparisonRecord] = []
    semantics: list[SemanticsRecord] = []
    samples: list[SamplesRecord] = []
    cause: CauseRecord | None = None
    history: HistoryRecord | None = None
    gate: GateRecord
    environment: EnvironmentRecord
    forecast: ForecastRecord | None = None
    determinism: DeterminismRecord | None = None
    warnings: list[Fact] = []
    approximations: list[Fact] = []
    about_reference: list[Fact] = []
    local_comparisons: list[ComparisonRecord] = []
    overviews: list[OverviewRecord] = []
    loops: list[LoopRecord] = []
    ignored: list[IgnoredRecord] = []
    run_warnings: list[WarningRecord] = []
    left_open: list[Fact] = []

    def run(self, prompt: str, name: str) -> RunRecord:
        """Return the run of a name for a prompt; raises KeyError when there is none."""
        for run in self.runs:
            if (run.prompt, run.name) == (prompt, name):
                return run
        raise KeyError((prompt, name))

    def comparison(self, prompt: str, candidate: str) -> ComparisonRecord | None:
        """Return how a run compares with the audit's reference; None where it was not compared."""
        wanted = (prompt, self.reference, candidate)
        return next((one for one in self.comparisons if (one.prompt, one.reference, one.candidate) == wanted), None)

    def overview(self, prompt: str) -> OverviewRecord:
        """Return the overview of a prompt; raises KeyError when there is none."""
        for overview in self.overviews:
            if overview.prompt == prompt:
                return overview
        raise KeyError(prompt)
