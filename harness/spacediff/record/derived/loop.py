"""Inside the loop: what the traces of a prompt's runs show together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spacediff.record.comparison import ComparisonRecord
from spacediff.record.derived.grouping import grouped
from spacediff.record.derived.guidance import constant_guidance, guidance_changes
from spacediff.record.derived.isolated_steps import isolated_steps
from spacediff.record.derived.sharing import sharing
from spacediff.record.loop import DivergenceRecord, LoopRecord, LoopReferenceRecord, NonfiniteRecord
from spacediff.record.run import ASIDE, Role, RunRecord
from spacediff.record.trace import Stage, TraceComparisonRecord

_IN_ORDER = list(Stage)


def loop(
    prompt: str,
    reference: str,
    runs: Sequence[RunRecord],
    comparisons: Iterable[ComparisonRecord],
    traces: Sequence[TraceComparisonRecord],
) -> LoopRecord | None:
    """Describe what the traces of a prompt show; None when no run has one.

    Args:
        prompt: Name of the prompt.
        reference: Name of the reference's run.
        runs: All runs of the prompt, with the stages marked that they took over.
        comparisons: The comparisons of the prompt.
        traces: The trace comparisons of the prompt.
    """
    traced = [run for run in runs if run.trace and (run.trace.steps or run.trace.stages)]
    if not traced:
        return None
    ordinary = [run for run in traced if run.role not in ASIDE]
    return LoopRecord(
        prompt=prompt,
        reference=_compared_with(traces[0].reference, reference, runs, comparisons) if traces else None,
        divergences=_divergences(traces),
        identical=[trace.candidate for trace in traces if trace.stage is Stage.NOWHERE],
        without_distances=[trace.candidate for trace in traces if all(v is None for v in trace.distances)],
        guidance=constant_guidance(ordinary),
        guidance_changes=guidance_changes(ordinary),
        isolated=[isolated_steps(run, traces) for run in runs if run.role is Role.STEPS],
        nonfinite=[found for run in traced if (found := _nonfinite(run))],
        sharing=sharing(traced),
    )


def _compared_with(
    name: str, reference: str, runs: Iterable[RunRecord], comparisons: Iterable[ComparisonRecord]
) -> LoopReferenceRecord:
    """Say why the traces are compared with that run: see `spacediff.comparing.traces.reference_trace`."""
    hosted = any(run.name == reference and run.source == "space" for run in runs)
    if name == reference:
        return LoopReferenceRecord(run=name, role="reference", hosted=hosted)
    verdict = next((found.verdict for found in comparisons if found.candidate == name), None)
    if verdict is not None and verdict.matches:
        return LoopReferenceRecord(run=name, role="stand-in", hosted=hosted, verdict=verdict)
    return LoopReferenceRecord(run=name, role="baseline", hosted=hosted)


def _divergences(traces: Iterable[TraceComparisonRecord]) -> list[DivergenceRecord]:
    diverging = [trace for trace in traces if trace.stage is not Stage.NOWHERE]
    ordered = sorted(diverging, key=lambda trace: (_IN_ORDER.index(trace.stage), trace.step or 0))
    return [
        DivergenceRecord(stage=group[0].stage, step=group[0].step, runs=[trace.candidate for trace in group])
        for group in grouped(ordered, lambda trace: (trace.stage, trace.step))
    ]


def _nonfinite(run: RunRecord) -> NonfiniteRecord | None:
    steps = run.trace.steps if run.trace else []
    broken = (
        NonfiniteRecord(run=run.name, step=number, count=step.nonfinite)
        for number, step in enumerate(steps, 1)
        if step.nonfinite
    )
    return next(broken, None)
