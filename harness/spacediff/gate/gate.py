"""The gate: what an audit passes or fails on, alone and beside an accepted state. Not measured is never green."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.errors import Exit
from spacediff.record import Change, ComparisonRecord, GateRecord, GateStatus, HistoryRecord, VariantHistory, Verdict
from spacediff.scenario.scenario import Gate


def evaluate_gate(
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
    outcomes = [(GateStatus.NOT_MEASURED, doubt) for doubt in doubts]
    if gate.variant is not None:
        of_variant = {each.prompt: each for each in comparisons if each.candidate == gate.variant}
        outcomes = [*(_outcome(prompt, of_variant.get(prompt), gate.max_drift) for prompt in prompts), *outcomes]
    return GateRecord(
        status=_worst([status for status, _ in outcomes]),
        variant=gate.variant or "",
        max_drift=None if gate.variant is None else gate.max_drift,
        against=gate.against or "",
        reasons=[reason for _, reason in outcomes],
    )


def evaluate_over_time(held: GateRecord, gate: Gate | None, history: HistoryRecord | None) -> GateRecord:
    """Hold the accepted state against a gate that asks for it.

    Args:
        held: The gate's outcome so far.
        gate: The gate; None when the scenario has none.
        history: How this audit stands to the accepted state; None where nothing was accepted yet, or the audit was
            interrupted.
    """
    if gate is None or gate.against is None:
        return held
    if history is None:
        none = "there is no accepted state to hold this against: look at the report, then `spacediff approve`"
        return held.model_copy(
            update={"status": _worst([held.status, GateStatus.NOT_MEASURED]), "reasons": [*held.reasons, none]}
        )
    outcomes = [(_over_time(each, gate.max_rise), each) for each in history.variants]
    reasons = [_reason(each) for status, each in outcomes if status is not GateStatus.HOLDS]
    reasons = reasons or [f"nothing is worse than in {history.against}"]
    worst = _worst([held.status, *(status for status, _ in outcomes)])
    return held.model_copy(update={"status": worst, "reasons": [*held.reasons, *reasons]})


def _over_time(found: VariantHistory, max_rise: float) -> GateStatus:
    if found.verdict_now is not None and not found.verdict_now.told:  # whatever it was before
        return GateStatus.NOT_MEASURED
    if found.change in {Change.SAME, Change.BETTER, Change.GAINED, Change.NEW}:
        return GateStatus.HOLDS
    if found.change is not Change.WORSE:
        return GateStatus.NOT_MEASURED
    if found.verdict_before == found.verdict_now and None not in (found.drift_before, found.drift_now):
        rise = (found.drift_now or 0.0) - (found.drift_before or 0.0)
        return GateStatus.HOLDS if rise <= max_rise else GateStatus.FAILS
    return GateStatus.FAILS


def _reason(found: VariantHistory) -> str:
    sides = [
        f"{verdict or 'not compared'}" + (f", drift {drift:.3f}" if drift is not None else "")
        for verdict, drift in ((found.verdict_before, found.drift_before), (found.verdict_now, found.drift_now))
    ]
    return f"{found.prompt}: {found.name} was {sides[0]}, and is {sides[1]}"


def _worst(statuses: Sequence[GateStatus]) -> GateStatus:
    return next((s for s in (GateStatus.FAILS, GateStatus.NOT_MEASURED) if s in statuses), GateStatus.HOLDS)


def exit_code(status: GateStatus) -> Exit:
    """Return the exit code that tells a gate's outcome."""
    codes = {GateStatus.FAILS: Exit.GATE_FAILED, GateStatus.NOT_MEASURED: Exit.NOT_MEASURED}
    return codes.get(status, Exit.GATE_PASSED)


def _outcome(prompt: str, comparison: ComparisonRecord | None, max_drift: float) -> tuple[GateStatus, str]:
    if comparison is None:
        return GateStatus.NOT_MEASURED, f"{prompt}: the gate's variant was not compared; was it left out by --only?"
    return _of_comparison(prompt, comparison, max_drift)


def _of_comparison(prompt: str, comparison: ComparisonRecord, max_drift: float) -> tuple[GateStatus, str]:
    if not comparison.verdict.told:
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
