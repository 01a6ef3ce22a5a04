from __future__ import annotations

from typing import Any

import pytest

from spacediff.errors import Exit
from spacediff.gate.gate import evaluate_gate, exit_code
from spacediff.record import (
    ComparisonRecord,
    FactKind,
    GateStatus,
    MetricRecord,
    Verdict,
    WorstTileRecord,
    fact,
    quoted,
)
from spacediff.scenario.scenario import Gate
from spacediff.wording import sentence

GATE = Gate(variant="as-hosted", max_drift=0.05)
SCALE: dict[str, Any] = {"floor": 10.0, "ceiling": 110.0, "ceiling_spread": (100.0, 120.0)}


def tile(error: float, **given: Any) -> WorstTileRecord:
    values = SCALE | {"drift": max(0.0, (error - 10.0) / 100.0)} | given
    return WorstTileRecord(frame=3, x=8, y=16, width=16, height=16, error=error, **values)


def compared(verdict: Verdict, drift: float | None = None, **given: Any) -> ComparisonRecord:
    values: dict[str, Any] = {"prompt": "lemon", "reference": "reference", "candidate": "as-hosted"}
    values |= {"evidence": [quoted("why")], "worst_tile": tile(10.0)}
    return ComparisonRecord(**values | given, verdict=verdict, drift=drift)


@pytest.mark.parametrize(
    ("comparison", "status"),
    [
        (compared(Verdict.IDENTICAL), GateStatus.PASSED),
        (compared(Verdict.CODEC_ONLY), GateStatus.PASSED),
        (compared(Verdict.NUMERIC_DRIFT, 0.05), GateStatus.PASSED),
        (compared(Verdict.SETTINGS_DIFFER, 0.0501), GateStatus.FAILED),
        (compared(Verdict.SETTINGS_DIFFER, 0.01, worst_tile=tile(15.0)), GateStatus.PASSED),
        (compared(Verdict.SETTINGS_DIFFER, 0.01, worst_tile=tile(15.1)), GateStatus.FAILED),
        (compared(Verdict.SETTINGS_DIFFER, 0.01, worst_tile=tile(30.0, codec=30.0)), GateStatus.PASSED),
        (compared(Verdict.SETTINGS_DIFFER, 0.01, worst_tile=tile(30.1, codec=30.0)), GateStatus.FAILED),
        (compared(Verdict.SETTINGS_DIFFER, 0.01, worst_tile=tile(99.0, codec=100.0)), GateStatus.FAILED),
        (compared(Verdict.SETTINGS_DIFFER, 0.01, worst_tile=tile(15.0, drift=None)), GateStatus.NOT_MEASURED),
        (compared(Verdict.SETTINGS_DIFFER, 0.01, worst_tile=None), GateStatus.NOT_MEASURED),
        (compared(Verdict.NUMERIC_DRIFT, 0.01, worst_tile=tile(40.0)), GateStatus.PASSED),
        (compared(Verdict.CODEC_ONLY, 0.0, worst_tile=None), GateStatus.PASSED),
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


@pytest.mark.parametrize(
    ("scale", "why"),
    [
        (
            {"floor": 50.0, "ceiling": 40.0, "ceiling_spread": (30.0, 60.0)},
            "that of a re-run differs by 50.00 levels, and that of a different seed by no more than 30.00.",
        ),
        ({"floor": None}, "a re-run was not measured."),
        ({"ceiling": None, "ceiling_spread": None}, "different seeds were not measured."),
    ],
)
def test_where_the_worst_tile_has_no_scale_no_error_passes_and_it_is_said_why(scale: dict[str, Any], why: str) -> None:
    for error in (0.5, 35.0, 200.0):
        small = compared(Verdict.SETTINGS_DIFFER, 0.01, worst_tile=tile(error, drift=None, **scale))
        gate = evaluate_gate(GATE, ["lemon"], [small], [])
        assert gate.status is GateStatus.NOT_MEASURED
        assert sentence(gate.reasons[-1]) == f"lemon: the drift of the worst tile is unknown, because {why}"


def test_the_worst_tile_has_a_limit_of_its_own_where_the_scenario_says_so() -> None:
    lost = compared(Verdict.SETTINGS_DIFFER, 0.01, worst_tile=tile(40.0))
    for limit, status in ((0.3, GateStatus.PASSED), (0.29, GateStatus.FAILED), ("none", GateStatus.PASSED)):
        gate = Gate.model_validate({"variant": "as-hosted", "max_worst_tile": limit})
        found = evaluate_gate(gate, ["lemon"], [lost], [])
        assert found.status is status, limit
        assert found.max_worst_tile == (None if limit == "none" else limit)
    assert evaluate_gate(Gate(variant="as-hosted", max_drift=0.3), ["lemon"], [lost], []).max_worst_tile == 0.3


def test_the_reason_says_where_the_worst_tile_is_and_what_it_was_compared_with() -> None:
    def said(**given: Any) -> str:
        lost = compared(Verdict.SETTINGS_DIFFER, 0.01, worst_tile=tile(30.0, **given))
        return sentence(evaluate_gate(GATE, ["lemon"], [lost], []).reasons[-1])

    assert said() == (
        "lemon: the worst tile is above the limit of drift 0.05, 15.00 levels: it differs by 30.00 at (8, 16) in frame "
        "3, drift 0.200 (settings differ)."
    )
    assert "within the codec's own loss of 31.00" in said(codec=31.0)


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
