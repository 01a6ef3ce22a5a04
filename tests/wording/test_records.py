"""Sentences of whole records: traces, what the clips show, changes over time."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.record import (
    AgreementRecord,
    FactKind,
    GateRecord,
    GateStatus,
    Stage,
    TextRecord,
    TraceComparisonRecord,
    fact,
)
from spacediff.wording import agreement_text, approximation_texts, gate_headline, trace_text
from support.synthetic_audit import synthetic_audit

STEPS = fact(FactKind.CONDITION_DIFFERS, name="steps", reference=50, candidate=25)
GUIDANCE = fact(FactKind.CONDITION_DIFFERS, name="guidance", reference=2.5066, candidate=None)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"stage": Stage.NOWHERE}, "Identical in every stage."),
        ({"stage": Stage.TEXT}, "The text embeddings differ."),
        (
            {"stage": Stage.DECODING, "steps": 50, "distances": [0.0] * 51},
            "Identical through all 50 steps; the VAE decodes them differently.",
        ),
        (
            {"stage": Stage.STEP, "step": 1, "differing": [GUIDANCE], "distances": [0.0, 0.02, 0.5]},
            (
                "Differs from the first step on. The guidance scale is none instead of 2.507. The latents differ by "
                "2.00% after this step, and by 50.00% after the last."
            ),
        ),
        (
            {"stage": Stage.STEP, "step": 26, "steps": 25, "differing": [STEPS]},
            "Identical up to step 25 of 25. The number of steps is 25 instead of 50.",
        ),
        (
            {"stage": Stage.STEP, "step": 2, "steps": 2, "distances": [0.0, 0.0, 0.1]},
            "Identical up to step 1 of 2. The latents differ by 10.00% after this step.",
        ),
    ],
)
def test_a_trace_says_where_a_run_diverges_and_what_differs_there(found: dict[str, object], said: str) -> None:
    record = TraceComparisonRecord.model_validate({"prompt": "p", "reference": "r", "candidate": "c"} | found)
    assert trace_text(record) == said


def test_agreement_is_said_with_its_scale() -> None:
    clips = [AgreementRecord(run="hosted", mean=1.0, frames=[]), AgreementRecord(run="dpm", mean=0.5, frames=[])]
    text = TextRecord(part="hand", asked="a hand", clips=clips, seeds=(0.25, 0.75))
    assert agreement_text(text, "dpm", "hosted") == (
        "hand: 1.000 in the reference, 0.500 in dpm (different seeds: 0.250 to 0.750)"
    )
    alone = text.model_copy(update={"part": "", "seeds": None})
    assert agreement_text(alone, "hosted", "hosted") == (
        "the prompt: 1.000 in the reference (different seeds were not measured)"
    )


@pytest.mark.parametrize(("status", "said"), [
    (GateStatus.PASSED, "gate passed"), (GateStatus.FAILED, "gate failed"), (GateStatus.NONE, "no gate"),
])  # fmt: skip
def test_a_verdict_on_an_approximation_never_reads_as_one_on_the_script(
    status: GateStatus, said: str, tmp_path: Path
) -> None:
    record = synthetic_audit(tmp_path, frames=2, size=(32, 48))
    record = record.model_copy(update={"gate": GateRecord(status=status, variant="dpm")})
    assert gate_headline(record).lower() == said
    given = {"setting": "load.vae", "value": "float32", "where": "run.py:6", "reason": ""}
    approximate = record.model_copy(update={"approximations": [fact(FactKind.APPROXIMATED, **given)]})
    assert gate_headline(approximate) == f"Approximate: {said}"


def test_very_many_approximations_are_counted() -> None:
    given = {"value": "1", "where": "run.py:6", "reason": "none"}
    many = [fact(FactKind.APPROXIMATED, setting=f"call.x{number}", **given) for number in range(40)]
    texts = approximation_texts(many)
    assert len(texts) == 13
    assert "28 more" in texts[-1]
