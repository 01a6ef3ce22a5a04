"""Several clips a side, compared as two groups, because no clip of one side belongs to a clip of the other."""

from __future__ import annotations

from spacediff.metric_info import MetricInfo
from spacediff.record.base import Record
from spacediff.record.fact import Fact


class SampleMeasureRecord(Record):
    """One measure of two groups.

    Attributes:
        info: What was measured.
        reference: One value for each clip of the reference, in the order of its group.
        candidate: The same of the other group.
        reference_mean: Their mean.
        candidate_mean: The same of the other group.
        p: Probability of a difference at least as large if both sides sample alike, by a permutation test.
        adjusted: The same after Holm's correction for all tests of the candidate.
        effect: Cliff's delta, -1 to 1, positive where the candidate's values are higher; None where the test compares
            distances between clips.
        interval: Its confidence interval at 90 %.
        finding: Whether the groups differ: the adjusted p is at most 0.05.
        clips_to_find: About how many clips a side would find a difference as large as the one seen, in 80 % of audits;
            None for a finding, and where no such number is known.
        clips_to_exclude: About how many clips a side would show that the effect is within the gate's limit, if it is
            the one seen; None without such a gate, where it is within it already, and where no such number is known.
    """

    info: MetricInfo
    reference: list[float]
    candidate: list[float]
    reference_mean: float = 0.0
    candidate_mean: float = 0.0
    p: float
    adjusted: float = 1.0
    effect: float | None = None
    interval: tuple[float, float] | None = None
    finding: bool = False
    clips_to_find: int | None = None
    clips_to_exclude: int | None = None


class SamplesRecord(Record):
    """The clips of one candidate and of the reference, as two groups.

    Attributes:
        prompt: Name of the prompt.
        reference: Name of the reference's first run.
        candidate: Name of the candidate's first run.
        reference_runs: Names of the reference's runs whose clips were compared, equal clips once.
        candidate_runs: The same of the candidate.
        measures: What was measured; empty where nothing could be compared.
        tests: Number of tests that the correction is for: all measures of the candidate on all prompts.
        detectable: Smallest Cliff's delta that 80 % of audits with as many clips would find; None where Noether's
            approximation gives no effect below 1, so that only groups that hardly overlap are found.
        able: Whether groups of these sizes can show any difference, however large, with so many tests.
        fewest: Fewest clips a side that can; None where no number is enough.
        reference_strip: PNG of the reference's clips next to each other, relative to the audit folder; may be empty.
        candidate_strip: The same of the candidate.
        notes: Why nothing was compared; clips that are missing or equal, or differ in size, rate or length.
    """

    prompt: str
    reference: str
    candidate: str
    reference_runs: list[str] = []
    candidate_runs: list[str] = []
    measures: list[SampleMeasureRecord] = []
    tests: int = 0
    detectable: float | None = None
    able: bool = False
    fewest: int | None = None
    reference_strip: str = ""
    candidate_strip: str = ""
    notes: list[Fact] = []

    @property
    def measured(self) -> bool:
        """Whether the groups were compared."""
        return bool(self.measures)

    @property
    def findings(self) -> list[SampleMeasureRecord]:
        """The measures in which the groups differ."""
        return [each for each in self.measures if each.finding]
