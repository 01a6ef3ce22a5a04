from __future__ import annotations

from typing import Any

import pytest

from spacediff.errors import Exit
from spacediff.gate.gate import evaluate_gate, exit_code
from spacediff.record import ComparisonRecord, FactKind, GateStatus, MetricRecord, Verdict, fact, quoted
from spacediff.scenario.scenario import Gate

GATE = Gate(variant="as-hosted", max_drift=0.05)


def compared(verdict: Verdict, drift: float | None = None, **given: Any) -> ComparisonRecord:
    values = {"prompt": "lemon", "reference": "reference", "candidate": "as-hosted", "evidence": [quoted("why")]}
    return ComparisonRecord(**values | given, verdict=verdict, drift=drift)


@pytest.mark.parametrize(
    ("comparison", "status"),
    [
        (compared(Verdict.IDENTICAL), GateStatus.PASSED),
        (compared(Verdict.CODEC_ONLY), GateStatus.PASSED),
        (compared(Verdict.NUMERIC_DRIFT, 0.05), GateStatus.PASSED),
        (compared(Verdict.SETTINGS_DIFFER, 0.0501), GateStatus.FAILED),
        (compared(Verdict.DIFFERENT_SAMPLE, 1.1), GateStatus.FAILED),
        (compared(Verdict.SETTINGS_DIFFER, None), GateStatus.NOT_MEASURED),
        (compared(Verdict.NOT_MEASURED), GateStatus.NOT_MEASURED),
        (compared(Verdict.NOT_COMPARABLE), GateStatus.NOT_MEASURED),
        (compared(Verdict.IDENTICAL, candidate="other"), GateStatus.NOT_MEASURED),
        (compared(Verdict.IDENTICAL, prompt="other"), GateStatus.NOT_MEASURED),
    ],
)
def test_the_gate_follows_its_variant(comparison: ComparisonRecord, status: GateStatus) -> None:
    gate = evaluate_gate(GATE, ["lemon"], [comparison], [])
    assert gate.status is status
    assert gate.reasons


def test_every_prompt_has_to_pass_and_a_failure_outweighs_a_gap() -> None:
    good, bad = compared(Verdict.IDENTICAL), compared(Verdict.SETTINGS_DIFFER, 0.5, prompt="bowl")
    gap = compared(Verdict.NOT_MEASURED, prompt="hand")
    assert evaluate_gate(GATE, ["lemon", "bowl"], [good, bad], []).status is GateStatus.FAILED
    assert evaluate_gate(GATE, ["lemon", "hand"], [good, gap], []).status is GateStatus.NOT_MEASURED
    assert evaluate_gate(GATE, ["lemon", "hand", "bowl"], [good, gap, bad], []).status is GateStatus.FAILED


def test_an_audit_in_doubt_passes_no_gate() -> None:
    assert (
        evaluate_gate(GATE, ["lemon"], [compared(Verdict.IDENTICAL)], [fact(FactKind.AUDIT_INTERRUPTED)]).status
        is GateStatus.NOT_MEASURED
    )


def test_no_gate_is_no_green() -> None:
    scored = compared(Verdict.SETTINGS_DIFFER, metrics={"mae": MetricRecord(pooled=1, worst=2, worst_frame=0)})
    assert evaluate_gate(None, ["lemon"], [scored], []).status is GateStatus.NONE
    assert evaluate_gate(None, ["lemon"], [compared(Verdict.NOT_MEASURED)], []).status is GateStatus.NOT_MEASURED


def test_exit_codes() -> None:
    codes = {status: exit_code(status) for status in GateStatus}
    assert codes == {
        GateStatus.PASSED: Exit.GATE_PASSED,
        GateStatus.NONE: Exit.GATE_PASSED,
        GateStatus.FAILED: Exit.GATE_FAILED,
        GateStatus.NOT_MEASURED: Exit.NOT_MEASURED,
    }
