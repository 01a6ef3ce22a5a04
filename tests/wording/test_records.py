"""Sentences of whole records: traces, what the clips show, changes over time."""

from __future__ import annotations

import pytest

from spacediff.record import AgreementRecord, FactKind, Stage, TextRecord, TraceComparisonRecord, fact
from spacediff.wording import agreement_text, trace_text

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
                "Differs from the first step on. The guidance scale is unknown instead of 2.507. The latents differ by "
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
