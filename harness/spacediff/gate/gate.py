"""The gate: what an audit passes or fails on, by itself and against an accepted state. Not measured never passes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from spacediff.errors import Exit
from spacediff.gate.groups import of_groups
from spacediff.record import (
    Change,
    ComparisonRecord,
    Fact,
    FactKind,
    GateRecord,
    GateStatus,
    HistoryRecord,
    SamplesRecord,
    VariantHistory,
    Verdict,
    fact,
)
from spacediff.scenario.scenario import Gate


def evaluate_gate(
    gate: Gate | None,
    prompts: Sequence[str],
    comparisons: Sequence[ComparisonRecord],
    doubts: Sequence[Fact],
    samples: Sequence[SamplesRecord] | None = None,
) -> GateRecord:
    """Evaluate the scenario's gate on the comparisons.

    Args:
        gate: The gate; None when the scenario has none.
        prompts: Names of the prompts, each of which has to pass.
        comparisons: What was compared.
        doubts: What keeps the numbers from being trusted: an interruption, a control that failed.
        samples: The groups of clips that are judged instead of the comparisons; None where no groups are compared.
    """
    if gate is None:
        if failed := [doubt for doubt in doubts if doubt.kind is FactKind.CONTROL_FAILED]:
            return GateRecord(status=GateStatus.NOT_MEASURED, reasons=failed)
        if any(comparison.metrics and not _void(comparison) for comparison in comparisons):
            return GateRecord(status=GateStatus.NONE)
        why: list[Fact] = []
        for reason in (reason for comparison in comparisons for reason in comparison.evidence):
            why += [reason] * (reason not in why)
        return GateRecord(status=GateStatus.NOT_MEASURED, reasons=[fact(FactKind.NOTHING_COMPARED, *why[:3])])
    outcomes = [(GateStatus.NOT_MEASURED, doubt) for doubt in doubts]
    if gate.variant is not None and samples is not None:
        groups = {each.prompt: each for each in samples if each.candidate == gate.variant}
        outcomes = [*(of_groups(prompt, groups.get(prompt), gate.max_effect) for prompt in prompts), *outcomes]
    elif gate.variant is not None:
        of_variant = {each.prompt: each for each in comparisons if each.candidate == gate.variant}
        of_prompts = (
            outcomes_of(prompt, of_variant.get(prompt), gate.max_drift, gate.tile_limit) for prompt in prompts
        )
        outcomes = [*chain.from_iterable(of_prompts), *outcomes]
    return GateRecord(
        status=_worst([status for status, _ in outcomes]),
        variant=gate.variant or "",
        max_drift=None if gate.variant is None or samples is not None else gate.max_drift,
        max_worst_tile=None if gate.variant is None or samples is not None else gate.tile_limit,
        max_effect=None if gate.variant is None or samples is None else gate.max_effect,
        against=gate.against or "",
        reasons=[reason for _, reason in outcomes],
    )


def evaluate_over_time(before: GateRecord, gate: Gate | None, history: HistoryRecord | None) -> GateRecord:
    """Evaluate a gate that asks for the accepted state.

    Args:
        before: The gate's outcome so far.
        gate: The gate; None when the scenario has none.
        history: How this audit compares with the accepted state; None where nothing was accepted yet, or the audit was
            interrupted.
    """
    if gate is None or gate.against is None:
        return before
    if history is None:
        none = fact(FactKind.GATE_NOTHING_ACCEPTED)
        return before.model_copy(
            update={"status": _worst([before.status, GateStatus.NOT_MEASURED]), "reasons": [*before.reasons, none]}
        )
    outcomes = [(_over_time(each, gate.max_rise), each) for each in history.variants]
    reasons = [_reason(each) for status, each in outcomes if status is not GateStatus.PASSED]
    reasons = reasons or [fact(FactKind.GATE_NOTHING_WORSE, against=history.against)]
    worst = _worst([before.status, *(status for status, _ in outcomes)])
    return before.model_copy(update={"status": worst, "reasons": [*before.reasons, *reasons]})


def _over_time(found: VariantHistory, max_rise: float) -> GateStatus:
    if found.verdict_now is not None and not found.verdict_now.comparable:  # whatever it was before
        return GateStatus.NOT_MEASURED
    if found.change in {Change.SAME, Change.BETTER, Change.GAINED, Change.NEW}:
        return GateStatus.PASSED
    if found.change is not Change.WORSE:
        return GateStatus.NOT_MEASURED
    if found.verdict_before == found.verdict_now and None not in (found.drift_before, found.drift_now):
        rise = (found.drift_now or 0.0) - (found.drift_before or 0.0)
        return GateStatus.PASSED if rise <= max_rise else GateStatus.FAILED
    return GateStatus.FAILED


def _reason(found: VariantHistory) -> Fact:
    return fact(
        FactKind.GATE_CHANGED,
        prompt=found.prompt,
        run=found.name,
        verdict_before=found.verdict_before,
        drift_before=found.drift_before,
        verdict_now=found.verdict_now,
        drift_now=found.drift_now,
    )


def _worst(statuses: Sequence[GateStatus]) -> GateStatus:
    return next((s for s in (GateStatus.FAILED, GateStatus.NOT_MEASURED) if s in statuses), GateStatus.PASSED)


def exit_code(status: GateStatus) -> Exit:
    """Return the exit code of a gate's outcome."""
    codes = {GateStatus.FAILED: Exit.GATE_FAILED, GateStatus.NOT_MEASURED: Exit.NOT_MEASURED}
    return codes.get(status, Exit.GATE_PASSED)


def outcomes_of(
    prompt: str, comparison: ComparisonRecord | None, max_drift: float, tile_limit: float | None
) -> list[tuple[GateStatus, Fact]]:
    """Return what follows from a comparison: by its verdict, or by its drift and its worst tile.

    Args:
        prompt: Name of the prompt.
        comparison: The comparison; None where there is none.
        max_drift: The largest drift that passes.
        tile_limit: The largest drift of the worst tile; None for no limit.
    """
    if comparison is None:
        return [(GateStatus.NOT_MEASURED, fact(FactKind.GATE_NOT_COMPARED, prompt=prompt))]
    by_verdict = _by_verdict(prompt, comparison)
    if by_verdict is not None:
        return [by_verdict]
    by_drift = _by_drift(prompt, comparison, max_drift)
    if tile_limit is None:
        return [by_drift]
    if by_drift[0] is not GateStatus.PASSED:  # whoever fixes what is said must not fail by the tile next
        by_tile = _by_tile(prompt, comparison, tile_limit)
        return [by_drift, by_tile] if by_tile[0] is GateStatus.FAILED else [by_drift]
    if comparison.verdict is Verdict.NUMERIC_DRIFT:  # which says that the worst tile is within the codec's own loss
        shown = [each for each in comparison.evidence if each.kind is FactKind.WORST_TILE_WITHIN]
        return [by_drift, *((GateStatus.PASSED, each) for each in shown)]
    return [by_drift, _by_tile(prompt, comparison, tile_limit)]


def _by_drift(prompt: str, comparison: ComparisonRecord, max_drift: float) -> tuple[GateStatus, Fact]:
    drift = comparison.drift
    if drift is None:
        return GateStatus.NOT_MEASURED, fact(FactKind.GATE_DRIFT_UNKNOWN, prompt=prompt)
    if drift <= max_drift:
        return GateStatus.PASSED, fact(FactKind.GATE_DRIFT_WITHIN, prompt=prompt, drift=drift, limit=max_drift)
    verdict = comparison.verdict
    above = fact(FactKind.GATE_DRIFT_ABOVE, prompt=prompt, drift=drift, limit=max_drift, verdict=verdict)
    return GateStatus.FAILED, above


def _by_tile(prompt: str, comparison: ComparisonRecord, limit: float) -> tuple[GateStatus, Fact]:
    """Return what follows from the worst tile of the worst frame, which the mean over a clip may hide.

    The codec's own loss is allowed in any case, unless two samples differ by less. Where a re-run differs by no less
    than a different seed, there is no scale, and no limit on it.
    """
    tile = comparison.worst_tile
    if tile is None or tile.drift is None or tile.floor is None or tile.ceiling is None:
        scale = {
            "floor": tile.floor if tile else None,
            "nearest": tile.ceiling_spread[0] if tile and tile.ceiling_spread else None,
        }
        return GateStatus.NOT_MEASURED, fact(FactKind.GATE_TILE_UNKNOWN, prompt=prompt, **scale)
    most = tile.floor + limit * (tile.ceiling - tile.floor)
    if tile.codec is not None and tile.ceiling_spread is not None and tile.codec < tile.ceiling_spread[0]:
        most = max(most, tile.codec)
    where = {"frame": tile.frame, "x": tile.x, "y": tile.y}
    judged = {"prompt": prompt, "error": tile.error, "most": most, "drift": tile.drift, "limit": limit, **where}
    if tile.error <= most:
        return GateStatus.PASSED, fact(FactKind.GATE_TILE_WITHIN, **judged)
    return GateStatus.FAILED, fact(FactKind.GATE_TILE_ABOVE, verdict=comparison.verdict, **judged)


def _void(comparison: ComparisonRecord) -> bool:
    """Whether nothing follows from a comparison because its clips show nothing."""
    return any(each.kind is FactKind.NOTHING_SHOWN for each in comparison.evidence)


def _by_verdict(prompt: str, comparison: ComparisonRecord) -> tuple[GateStatus, Fact] | None:
    """Return what the verdict alone decides; None where the drift does."""
    verdict, evidence = comparison.verdict, comparison.evidence
    if not verdict.comparable:
        return GateStatus.NOT_MEASURED, fact(FactKind.GATE_VERDICT, *evidence, prompt=prompt, verdict=verdict)
    if verdict.matches:
        return GateStatus.PASSED, fact(FactKind.GATE_VERDICT, prompt=prompt, verdict=verdict)
    if verdict is Verdict.POST_PROCESSED:
        return GateStatus.FAILED, fact(FactKind.GATE_VERDICT, *evidence[:1], prompt=prompt, verdict=verdict)
    return None
