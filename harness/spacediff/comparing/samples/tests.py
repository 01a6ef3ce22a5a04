"""The tests of two groups, and their correction: all tests of a candidate, on all prompts, belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from spacediff.comparing.samples.group import Sample
from spacediff.group_sizes import ALPHA, able, fewest_clips
from spacediff.metric_info import MetricInfo
from spacediff.metrics.clip_features import DIVERSITY, LIKENESS, distances
from spacediff.metrics.groups import (
    GroupTest,
    clips_to_exclude,
    clips_to_find,
    compare_distances,
    compare_spread,
    compare_values,
    detectable_effect,
    holm,
)
from spacediff.record import SampleMeasureRecord, SamplesRecord


@dataclass(frozen=True)
class Tested:
    """Two groups with their tests, not yet corrected.

    Attributes:
        record: What is recorded so far.
        tests: The test of each measure, in the order of the record.
    """

    record: SamplesRecord
    tests: tuple[GroupTest, ...] = ()

    @property
    def counts(self) -> tuple[int, int]:
        """Number of clips on each side."""
        return len(self.record.reference_runs), len(self.record.candidate_runs)


def tested(
    record: SamplesRecord, reference: Sequence[Sample], candidate: Sequence[Sample], infos: Sequence[MetricInfo]
) -> Tested:
    """Test every measure of two groups.

    Args:
        record: The groups' record.
        reference: At least two clips.
        candidate: The same of the other group.
        infos: What is measured of single clips; one that a clip lacks is left out.
    """
    found = [*_of_values(reference, candidate, infos), *_of_distances(reference, candidate)]
    measures = [measure for measure, _ in found]
    return Tested(record.model_copy(update={"measures": measures}), tuple(test for _, test in found))


def _of_values(
    reference: Sequence[Sample], candidate: Sequence[Sample], infos: Sequence[MetricInfo]
) -> Iterator[tuple[SampleMeasureRecord, GroupTest]]:
    for info in infos:
        ours, theirs = (
            [clip.values[info.name] for clip in side if info.name in clip.values] for side in (reference, candidate)
        )
        if (len(ours), len(theirs)) == (len(reference), len(candidate)):
            test = compare_values(ours, theirs)
            yield _recorded(info, ours, theirs, test), test


def _of_distances(
    reference: Sequence[Sample], candidate: Sequence[Sample]
) -> Iterator[tuple[SampleMeasureRecord, GroupTest]]:
    """Test what the clips of a side have in common: how alike they are, and how like the other side's."""
    between = distances([clip.features for clip in (*reference, *candidate)])
    count = len(reference)
    own = [part.sum(axis=1) / (len(part) - 1) for part in (between[:count, :count], between[count:, count:])]
    spread = compare_spread(between, count)
    yield _recorded(DIVERSITY, own[0].tolist(), own[1].tolist(), spread), spread
    across = compare_distances(between, count)
    yield _recorded(LIKENESS, own[0].tolist(), between[count:, :count].mean(axis=1).tolist(), across), across


def _recorded(info: MetricInfo, reference: list[float], candidate: list[float], test: GroupTest) -> SampleMeasureRecord:
    return SampleMeasureRecord(
        info=info,
        reference=reference,
        candidate=candidate,
        reference_mean=fmean(reference),
        candidate_mean=fmean(candidate),
        p=test.p,
        effect=test.effect,
        interval=test.interval,
    )


def corrected(groups: Sequence[Tested], limit: float | None) -> list[SamplesRecord]:
    """Correct the tests of one candidate for each other, and record what they could have shown.

    Args:
        groups: The candidate's groups, one for each prompt.
        limit: Largest Cliff's delta that the gate accepts; None without a gate.
    """
    adjusted = iter(holm([test.p for each in groups for test in each.tests]))
    count = sum(len(each.tests) for each in groups)
    return [_corrected(each, adjusted, count, limit) for each in groups]


def _corrected(found: Tested, adjusted: Iterator[float], count: int, limit: float | None) -> SamplesRecord:
    if not found.tests:
        return found.record

    def measure(recorded: SampleMeasureRecord, test: GroupTest) -> SampleMeasureRecord:
        p = next(adjusted)
        finding = p <= ALPHA
        return recorded.model_copy(
            update={
                "adjusted": p,
                "finding": finding,
                "clips_to_find": None if finding else clips_to_find(test, found.counts, count),
                "clips_to_exclude": None if limit is None else clips_to_exclude(test, found.counts, limit),
            }
        )

    pairs = zip(found.record.measures, found.tests, strict=True)
    return found.record.model_copy(
        update={
            "measures": [measure(*pair) for pair in pairs],
            "tests": count,
            "detectable": detectable_effect(found.counts, count),
            "able": able(*found.counts, count),
            "fewest": fewest_clips(count),
        }
    )
