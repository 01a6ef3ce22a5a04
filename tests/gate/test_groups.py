from __future__ import annotations

from typing import Any

import pytest

from spacediff.gate.gate import evaluate_gate
from spacediff.record import FactKind, GateStatus, MetricInfo, SampleMeasureRecord, SamplesRecord, fact
from spacediff.scenario.scenario import Gate

GATE = Gate(variant="baseline", max_effect=0.4)
INFO = MetricInfo("motion", "Motion", "%", higher_is_closer=False, about="")
LENGTHS = fact(FactKind.SAMPLES_LENGTHS_DIFFER, reference=[24], candidate=[4])
SCALED = fact(FactKind.SAMPLES_SCALED, reference=[[8, 8]], candidate=[[4, 4]], scaled_to=[4, 4])
EQUAL = fact(FactKind.SAMPLES_EQUAL, candidate=True, clips=9, distinct=8)


def groups(interval: tuple[float, float] | None = (-0.3, 0.2), **given: Any) -> SamplesRecord:
    measure = SampleMeasureRecord(
        info=INFO, reference=[1.0], candidate=[1.0], p=0.5, effect=0.0, interval=interval, clips_to_exclude=40
    )
    values: dict[str, Any] = {"prompt": "lemon", "reference": "reference", "candidate": "baseline"}
    values |= {"able": True, "tests": 9, "fewest": 6}
    return SamplesRecord(**values | {"measures": [measure]} | given)


def found() -> SamplesRecord:
    (measure,) = groups().measures
    return groups(measures=[measure.model_copy(update={"finding": True})])


@pytest.mark.parametrize(
    ("record", "status", "kind"),
    [
        (groups(), GateStatus.PASSED, FactKind.GATE_GROUPS_WITHIN),
        (groups((-0.3, 0.41)), GateStatus.NOT_MEASURED, FactKind.GATE_GROUPS_UNKNOWN),
        (groups((-0.5, 0.1)), GateStatus.NOT_MEASURED, FactKind.GATE_GROUPS_UNKNOWN),
        (groups(None), GateStatus.NOT_MEASURED, FactKind.GATE_GROUPS_NOT_COMPARED),
        (groups(measures=[]), GateStatus.NOT_MEASURED, FactKind.GATE_GROUPS_NOT_COMPARED),
        (groups(notes=[SCALED]), GateStatus.NOT_MEASURED, FactKind.GATE_GROUPS_IN_DOUBT),
        (groups(notes=[LENGTHS]), GateStatus.NOT_MEASURED, FactKind.GATE_GROUPS_IN_DOUBT),
        (groups(notes=[EQUAL]), GateStatus.NOT_MEASURED, FactKind.GATE_GROUPS_IN_DOUBT),
        (groups(able=False), GateStatus.NOT_MEASURED, FactKind.GATE_GROUPS_TOO_SMALL),
        (groups(candidate="other"), GateStatus.NOT_MEASURED, FactKind.GATE_GROUPS_NOT_COMPARED),
        (found(), GateStatus.FAILED, FactKind.GATE_GROUPS_DIFFER),
    ],
)
def test_no_finding_passes_only_where_the_effect_is_shown_to_be_small(
    record: SamplesRecord, status: GateStatus, kind: FactKind
) -> None:
    gate = evaluate_gate(GATE, ["lemon"], [], [], [record])
    assert (gate.status, gate.reasons[0].kind) == (status, kind)
    assert (gate.max_drift, gate.max_effect) == (None, 0.4)


def test_every_prompt_has_to_pass() -> None:
    gate = evaluate_gate(GATE, ["lemon", "hand"], [], [], [groups()])
    assert gate.status is GateStatus.NOT_MEASURED


def test_the_reason_says_how_many_clips_could_decide() -> None:
    (reason,) = evaluate_gate(GATE, ["lemon"], [], [], [groups((-0.3, 0.9))]).reasons
    assert reason.values["clips"] == 40
