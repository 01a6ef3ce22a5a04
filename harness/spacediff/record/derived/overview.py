"""What leads for a prompt: the order of its runs, the run that is judged, the run that a reader sees first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from spacediff.metric_info import MetricInfo
from spacediff.record.comparison import ComparisonRecord, Verdict
from spacediff.record.derived.frames import twins
from spacediff.record.derived.grouping import with_owners
from spacediff.record.fact import Fact
from spacediff.record.fact_kinds import CONTENT_FAULTS, FactKind
from spacediff.record.overview import OverviewRecord, RemarkRecord, ScaleRecord
from spacediff.record.run import ASIDE, Role, RunRecord


def compared_runs(runs: Iterable[RunRecord], reference: RunRecord | None) -> list[RunRecord]:
    """Return the runs of a prompt that are compared with its reference.

    A re-run is compared with the baseline, so it is none of them, unless it is to be said why it was not measured.
    Probes and isolated steps answer a question of their own.
    """
    return [
        run
        for run in runs
        if run is not reference and run.role not in ASIDE and not (run.role is Role.RERUN and run.measured)
    ]


def overview(
    prompt: str,
    runs: Sequence[RunRecord],
    order: Sequence[RunRecord],
    comparisons: Mapping[str, ComparisonRecord],
    metrics: Iterable[MetricInfo],
    *,
    judged: str,
) -> OverviewRecord:
    """Describe what leads for a prompt.

    Args:
        prompt: Name of the prompt.
        runs: All runs of the prompt.
        order: The runs that are compared with the reference, in order of display.
        comparisons: Name of a run to its comparison.
        metrics: What was measured.
        judged: Name of the gate's variant; may be empty.
    """
    names = [run.name for run in order]
    compared = [comparisons[run.name] for run in order if not run.role.control and run.name in comparisons]
    baseline = next((run.name for run in order if run.role is Role.BASELINE), "")
    return OverviewRecord(
        prompt=prompt,
        order=names,
        baseline=baseline,
        judged=judged if judged in names else "",
        selected=next((name for name in (baseline, judged, *names) if name in names), ""),
        twins=twins(runs),
        scale=_shared_scale(list(comparisons.values()), metrics),
        remarks=[
            *_noise_remarks(runs),
            *_remarks(compared),
            *(_unknown_drifts(compared) if any(run.role is Role.BASELINE for run in runs) else ()),
        ],
    )


def _shared_scale(comparisons: Sequence[ComparisonRecord], metrics: Iterable[MetricInfo]) -> dict[str, ScaleRecord]:
    found = {
        info.name: [
            ScaleRecord(floor=metric.floor, ceiling=metric.ceiling, ceiling_spread=metric.ceiling_spread)
            for comparison in comparisons
            if (metric := comparison.metrics.get(info.name))
        ]
        for info in metrics
    }
    return {name: scales[0] for name, scales in found.items() if scales and all(each == scales[0] for each in scales)}


def _noise_remarks(runs: Iterable[RunRecord]) -> list[RemarkRecord]:
    """Say which seed gave the noise of recordings."""
    noises = [(run.name, run.trace.noise) for run in runs if run.trace and run.trace.noise]
    found = ((noise.origin, name) for name, noise in noises if noise.origin)
    return [RemarkRecord(fact=fact, runs=names) for fact, names in with_owners(found)]


def _remarks(comparisons: Iterable[ComparisonRecord]) -> list[RemarkRecord]:
    """Put equal notes together, what is wrong with clips, and why they are not comparable."""
    found = (
        (fact, comparison.candidate)
        for comparison in comparisons
        for fact in [
            *comparison.notes,
            *(
                each
                for each in comparison.evidence
                if comparison.verdict is Verdict.NOT_COMPARABLE or each.kind in CONTENT_FAULTS
            ),
        ]
    )
    return [RemarkRecord(fact=fact, runs=runs) for fact, runs in with_owners(found)]


def _unknown_drifts(comparisons: Iterable[ComparisonRecord]) -> list[RemarkRecord]:
    """Say once why the drift of comparisons is unknown; two files by themselves have none in any case."""
    found = ((_without_codec(each), compared.candidate) for compared in comparisons for each in _why_unknown(compared))
    return [RemarkRecord(fact=fact, runs=runs) for fact, runs in with_owners(found)]


def _why_unknown(comparison: ComparisonRecord) -> list[Fact]:
    if comparison.drift is not None:
        return []
    return [each for each in comparison.evidence if each.kind is FactKind.METRIC_DRIFT_UNKNOWN]


def _without_codec(found: Fact) -> Fact:
    """Return a fact without what it says of one comparison's codec, so that it is said once of all."""
    return found.model_copy(update={"values": {**found.values, "codec_share": None}})
