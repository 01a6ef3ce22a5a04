"""The gate: what an audit passes or fails on. Not measured is never green."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import Exit
from harness.record import ComparisonRecord, GateRecord, GateStatus, Verdict
from harness.scenario import Gate


def hold(
    gate: Gate | None, prompts: Sequence[str], comparisons: Sequence[ComparisonRecord], doubts: Sequence[str]
) -> GateRecord:
    """Hold the comparisons against the scenario's gate.

    Args:
        gate: The gate; None when the scenario has none.
        prompts: Names of the prompts, each of which has to pass.
        comparisons: What was compared.
        doubts: What keeps the numbers from being trusted: an interruption, a control that failed.
    """
    if gate is None:
        if any(comparison.metrics for comparison in comparisons):
            return GateRecord(status=GateStatus.NONE)
        reasons = list(dict.fromkeys(reason for comparison in comparisons for reason in comparison.evidence))
        return GateRecord(status=GateStatus.NOT_MEASURED, reasons=["nothing was compared", *reasons[:3]])
    of_variant = {comparison.prompt: comparison for comparison in comparisons if comparison.candidate == gate.variant}
    outcomes = [_outcome(prompt, of_variant.get(prompt), gate.max_drift) for prompt in prompts]
    outcomes += [(GateStatus.NOT_MEASURED, doubt) for doubt in doubts]
    statuses = [status for status, _ in outcomes]
    worst = next(s for s in (GateStatus.FAILS, GateStatus.NOT_MEASURED, GateStatus.HOLDS) if s in statuses)
    return GateRecord(
        status=worst, variant=gate.variant, max_drift=gate.max_drift, reasons=[reason for _, reason in outcomes]
    )


def exit_code(status: GateStatus) -> Exit:
    """Return the exit code that tells a gate's outcome."""
    codes = {GateStatus.FAILS: Exit.GATE_FAILS, GateStatus.NOT_MEASURED: Exit.NOT_MEASURED}
    return codes.get(status, Exit.GATE_HOLDS)


def _outcome(prompt: str, comparison: ComparisonRecord | None, max_drift: float) -> tuple[GateStatus, str]:
    if comparison is None:
        return GateStatus.NOT_MEASURED, f"{prompt}: the gate's variant was not compared; was it left out by --only?"
    return _of_comparison(prompt, comparison, max_drift)


def _of_comparison(prompt: str, comparison: ComparisonRecord, max_drift: float) -> tuple[GateStatus, str]:
    if comparison.verdict in {Verdict.NOT_MEASURED, Verdict.NOT_COMPARABLE}:
        return GateStatus.NOT_MEASURED, f"{prompt}: {comparison.verdict}: {'; '.join(comparison.evidence)}"
    if comparison.verdict.reached:
        return GateStatus.HOLDS, f"{prompt}: {comparison.verdict}"
    if comparison.verdict is Verdict.POST_PROCESSED:
        return GateStatus.FAILS, f"{prompt}: {comparison.verdict}: {comparison.evidence[0]}"
    if comparison.drift is None:
        return GateStatus.NOT_MEASURED, f"{prompt}: the frames differ, and drift cannot be told"
    if comparison.drift <= max_drift:
        return GateStatus.HOLDS, f"{prompt}: drift {comparison.drift:.3f} is at most {max_drift:g}"
    return GateStatus.FAILS, f"{prompt}: drift {comparison.drift:.3f} is more than {max_drift:g} ({comparison.verdict})"
