"""An audit with one text in every place where an untrusted text can be."""

from __future__ import annotations

from spacediff.record import (
    AuditRecord,
    CauseRecord,
    Change,
    FactChange,
    FactKind,
    GateRecord,
    GateStatus,
    HistoryRecord,
    MetricInfo,
    SampleMeasureRecord,
    SamplesRecord,
    Subject,
    VariantHistory,
    Verdict,
    fact,
    quoted,
    with_derived,
)
from support.synthetic_audit import setting


def _groups(text: str) -> SamplesRecord:
    info = MetricInfo(text, text, text, higher_is_closer=False, about=text)
    measure = SampleMeasureRecord(info=info, reference=[1.0, 2.0], candidate=[1.0, 3.0], p=0.5, finding=True)
    return SamplesRecord(
        prompt="lemon",
        reference="reference",
        candidate=text,
        reference_runs=["reference", text],
        candidate_runs=["baseline", text],
        measures=[measure],
        reference_strip=text,
        notes=[quoted(text)],
    )


def hostile(record: AuditRecord, text: str) -> AuditRecord:
    """Put one text in every place where an untrusted text can be."""
    history = HistoryRecord(
        against=text,
        created=text,
        variants=[
            VariantHistory(prompt=text, name=text, change=Change.WORSE, verdict_now=Verdict.DIFFERS, drift_now=0.5)
        ],
        facts=[FactChange(subject=Subject.SETTING, name=text, before=text, now={"a": text}, runs=[text])],
    )
    cause = CauseRecord(prompt="lemon", start=text, target=text, finished=True, residual_suspects=[quoted(text)])
    runs = [
        run.model_copy(
            update={
                "name": run.name if run.name in {"reference", "baseline"} else f"{run.name} {text}",
                "reason": text if not run.measured else "",
                "settings": run.settings | {f"call.{text}": setting(text), "call.guidance_scale": setting([text])},
                "ignored": [each.model_copy(update={"argument": text, "advice": text}) for each in run.ignored],
                "warnings": [text],
            }
        )
        for run in record.runs
    ]
    changed = record.model_copy(
        update={
            "title": text,
            "question": text,
            "command": text,
            "scenario_name": text,
            "created": text,
            "spacediff_version": text,
            "prompts": [prompt.model_copy(update={"text": text}) for prompt in record.prompts],
            "runs": runs,
            "comparisons": [each.model_copy(update={"evidence": [quoted(text)]}) for each in record.comparisons],
            "cause": cause,
            "samples": [_groups(text)],
            "history": history,
            "warnings": [quoted(text)],
            "approximations": [fact(FactKind.APPROXIMATED, setting=text, value=text, where=text, reason=text)],
            "gate": GateRecord(status=GateStatus.FAILED, variant="baseline", reasons=[quoted(text)]),
            "environment": record.environment.model_copy(update={"hosted": {text or "x": text}, "local": {"a": text}}),
        }
    )
    return with_derived(changed)
