"""Isolated steps: which steps of a loop make most of its own errors, and whether distances can stand beside them."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record.loop import IsolatedStepsRecord
from spacediff.record.run import RunRecord
from spacediff.record.trace import TraceComparisonRecord

ENDING = "-alone"
"""What the name of such a run has after the name of the variant."""

_MOST = 0.5
"""The largest steps are those that make this share of the sum of all own errors."""


def isolated_steps(run: RunRecord, traces: Sequence[TraceComparisonRecord]) -> IsolatedStepsRecord:
    """Describe a run whose steps were isolated.

    Args:
        run: The run.
        traces: The trace comparisons of its prompt.
    """
    variant = run.name.removesuffix(ENDING)
    errors = run.trace.own_errors if run.trace else []
    whole = sum(errors)
    largest = _largest(errors) if whole > 0 else []
    compared_with = next((trace.reference for trace in traces if trace.candidate == variant), run.fed_by)
    return IsolatedStepsRecord(
        run=run.name,
        variant=variant,
        shares=[error / whole for error in errors] if whole > 0 else [],
        largest=[n + 1 for n in largest],
        largest_share=sum(errors[n] for n in largest) / whole if largest else 0.0,
        other=compared_with if compared_with != run.fed_by else "",
    )


def _largest(errors: Sequence[float]) -> list[int]:
    """Return the positions of the fewest errors that make at least half of the sum, the largest first."""
    ordered = sorted(range(len(errors)), key=lambda n: -errors[n])
    for count in range(1, len(ordered)):
        if sum(errors[n] for n in ordered[:count]) / sum(errors) >= _MOST:
            return ordered[:count]
    return ordered
