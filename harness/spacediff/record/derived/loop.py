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
_HERE = ("diffusers", "script")
"""Sources that generate a clip on this machine, under observation."""
_SILENT = ("space", "command", "inference")
"""Sources that generate a clip and need not show how."""


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
        identical=[trace.candidate for trace in traces if _identical(trace)],
        without_distances=[trace.candidate for trace in traces if all(v is None for v in trace.distances)],
        guidance=constant_guidance(ordinary),
        guidance_changes=guidance_changes(ordinary),
        isolated=[isolated_steps(run, traces) for run in runs if run.role is Role.STEPS and not _transplanted(run)],
        nonfinite=[found for run in traced if (found := _nonfinite(run))],
        sharing=sharing(traced),
    )


def _transplanted(run: RunRecord) -> bool:
    return run.trace is not None and bool(run.trace.transplant)


def _compared_with(
    name: str, reference: str, runs: Iterable[RunRecord], comparisons: Iterable[ComparisonRecord]
) -> LoopReferenceRecord:
    """Say why the traces are compared with that run: see `spacediff.comparing.traces.reference_trace`."""
    hosted = any(run.name == reference and run.source in _SILENT for run in runs)
    if name == reference:
        here = any(run.name == name and run.source in _HERE for run in runs)
        return LoopReferenceRecord(run=name, role="reference", hosted=hosted, here=here)
    verdict = next((found.verdict for found in comparisons if found.candidate == name), None)
    if verdict is not None and verdict.matches:
        return LoopReferenceRecord(run=name, role="stand-in", hosted=hosted, verdict=verdict)
    return LoopReferenceRecord(run=name, role="baseline", hosted=hosted)


def _identical(trace: TraceComparisonRecord) -> bool:
    return trace.stage is Stage.NOWHERE and not trace.unobserved and not trace.differing


def _divergences(traces: Iterable[TraceComparisonRecord]) -> list[DivergenceRecord]:
    diverging = [trace for trace in traces if not _identical(trace)]
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
    found = next(broken, None)
    if found is None and run.trace and run.trace.decoded_nonfinite:
        return NonfiniteRecord(run=run.name, step=None, count=run.trace.decoded_nonfinite)
    return found
