"""Audits that between them make the page say all it can, for tests of its words; their numbers mean nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spacediff.record import (
    AgreementRecord,
    AuditRecord,
    CauseRecord,
    Change,
    ComparisonRecord,
    ControlRecord,
    FactChange,
    FirstDivergenceRecord,
    GateRecord,
    GateStatus,
    HistoryRecord,
    InteractionRecord,
    MeasureRecord,
    MetricInfo,
    MetricRecord,
    ProbeRecord,
    ProofRecord,
    ResolutionRecord,
    Role,
    RunRecord,
    SemanticsRecord,
    Stage,
    Standing,
    Subject,
    SuspectRecord,
    TextRecord,
    TraceComparisonRecord,
    TraceRecord,
    VariantHistory,
    Verdict,
)
from spacediff.settings import Origin
from support.synthetic_audit import setting, synthetic_audit, with_traces

_LOCAL = ("baseline", "as-hosted", "cpu-noise", "dpm", "dynamic-cfg", "on-gpu", "seed 43", "sequential")


def told_audits(folder: Path) -> Iterator[AuditRecord]:
    """Yield audits whose previews lie in the folder: a full one, then those in which something is missing."""
    plain = synthetic_audit(folder)
    full = _with_everything(with_traces(synthetic_audit(folder, prompts=("lemon", "street"))))
    yield full
    yield _bare(full, plain)
    yield _lost_reference(plain)
    yield _without(plain, "reference")
    yield _without(plain, "reference", *_LOCAL)
    yield _without(plain, *_LOCAL)
    yield plain.model_copy(update={"prompts": [], "runs": [], "comparisons": []})
    yield from _with_verdicts(plain)
    yield from _with_other_causes(full)
    yield from _with_other_insides(with_traces(plain))


def _run(record: AuditRecord, name: str, **changes: Any) -> AuditRecord:
    runs = [run.model_copy(update=changes) if run.name == name else run for run in record.runs]
    return record.model_copy(update={"runs": runs})


def _compared(record: AuditRecord, name: str, **changes: Any) -> AuditRecord:
    found = [c.model_copy(update=changes) if c.candidate == name else c for c in record.comparisons]
    return record.model_copy(update={"comparisons": found})


def _without(record: AuditRecord, *names: str) -> AuditRecord:
    return record.model_copy(
        update={
            "runs": [run for run in record.runs if run.name not in names],
            "comparisons": [c for c in record.comparisons if not {c.candidate, c.reference} & set(names)],
        }
    )


def _lost_reference(record: AuditRecord) -> AuditRecord:
    lost = _run(record, "reference", measured=False, clip=None, settings={}, reason="no quota left", hint="log in")
    gate = GateRecord(status=GateStatus.NOT_MEASURED, variant="as-hosted", max_drift=0.05)
    return lost.model_copy(update={"comparisons": [], "gate": gate})


# ---- everything at once


def _with_everything(record: AuditRecord) -> AuditRecord:
    extra = [
        _silent(record, "rerun", Role.RERUN, measured=False, reason="out of memory"),
        _silent(record, "again", Role.REPEAT, measured=True, clip=record.run("lemon", "reference").clip),
    ]
    first, *others = record.prompts
    record = record.model_copy(
        update={
            "prompts": [first, *(prompt.model_copy(update={"private": True}) for prompt in others)],
            "runs": [*(_told(run) for run in record.runs), *extra],
            "comparisons": [_measured(c) for c in record.comparisons],
            "measures": [
                MetricInfo(name="motion", title="Motion", unit="px", higher_is_closer=True, about="Mean flow.")
            ],
            "controls": [
                ControlRecord(prompt="lemon", name="another seed", expected="apart", found="apart", passed=True),
                ControlRecord(prompt="lemon", name="a re-run", expected="equal", found="apart", passed=False),
            ],
            "resolutions": [ResolutionRecord(prompt="lemon", sentence="one level is seen", levels=1, share=0.1)],
            "semantics": _semantics(),
            "cause": _cause(),
            "history": _history(),
            "finished": False,
        }
    )
    return _without(record, "absent")


def _silent(record: AuditRecord, name: str, role: Role, **changes: Any) -> RunRecord:
    """Return a run of which nothing was resolved."""
    empty: dict[str, Any] = {"trace": None, "settings": {}, "changes": {}, "ignored": [], "warnings": [], "clip": None}
    run = record.run("lemon", "on-gpu")
    return run.model_copy(update={**empty, "name": name, "key": f"lemon-{name}", "role": role, **changes})


def _told(run: RunRecord) -> RunRecord:
    if run.name == "dynamic-cfg" and run.trace:
        steps = [step.model_copy(update={"nonfinite": n}) for n, step in enumerate(run.trace.steps)]
        return run.model_copy(update={"trace": run.trace.model_copy(update={"steps": steps})})
    if run.name == "dpm":
        settings = {**run.settings, "vae.slicing": setting(None, Origin.UNKNOWN)}
        settings.pop("vae.tiling")
        return run.model_copy(update={"settings": settings, "trace": _nan_once(run.trace)})
    return run


def _nan_once(trace: TraceRecord | None) -> TraceRecord | None:
    if trace is None:
        return None
    first, *others = trace.steps
    return trace.model_copy(update={"steps": [first.model_copy(update={"nonfinite": 1}), *others]})


def _measured(comparison: ComparisonRecord) -> ComparisonRecord:
    count = len(comparison.frame_map)
    kept = 1 if comparison.candidate == "seed 43" else count
    curves = {"reference_frames": [2.0] * count, "candidate_frames": [1.0] * count}
    nothing_there = comparison.candidate == "dpm"
    reference = 0.0 if nothing_there else 2.0
    measure = MeasureRecord(reference=reference, candidate=1.0, ratio=None if nothing_there else 0.5, **curves)
    partings = {
        "as-hosted": FirstDivergenceRecord(metric="psnr", beyond_floor=None, half_way=None),
        "dpm": FirstDivergenceRecord(metric="psnr", beyond_floor=1, half_way=None),
        "cpu-noise": FirstDivergenceRecord(metric="ssim", beyond_floor=1, half_way=2),
    }
    metrics = {name: _with_codec(name, metric, comparison.candidate) for name, metric in comparison.metrics.items()}
    if comparison.candidate == "on-gpu":
        metrics.pop("lpips")
    return comparison.model_copy(
        update={
            "measures": {"motion": measure},
            "metrics": metrics,
            "parting": partings.get(comparison.candidate),
            "notes": [] if comparison.candidate == "dpm" else ["the clip was cropped"],
            "path": "" if comparison.candidate == "dpm" else comparison.path,
            "frame_map": comparison.frame_map[:kept],
            "per_frame": {name: values[:kept] for name, values in comparison.per_frame.items()},
            "drift": None if comparison.candidate == "dynamic-cfg" else comparison.drift,
        }
    )


def _with_codec(name: str, metric: MetricRecord, candidate: str) -> MetricRecord:
    if name == "lpips" and candidate == "dpm":
        return metric.model_copy(update={"floor": None, "ceiling": None, "ceiling_spread": None, "drift": None})
    return metric.model_copy(update={"codec": metric.pooled, "codec_drift": 0.1})


def _semantics() -> list[SemanticsRecord]:
    def agreement(run: str, place: Any, difference: float | None) -> AgreementRecord:
        return AgreementRecord(
            run=run, mean=0.2, frames=[0.2, *[0.25] * 8], difference=difference, place=place, sentence="s"
        )

    clips = [
        agreement("reference", "", None),
        agreement("baseline", "below", 0.1),
        agreement("as-hosted", "within", 0.0),
        agreement("dpm", "above", -0.1),
    ]
    texts = [
        TextRecord(part="", asked="A hand squeezes half a lemon", clips=clips, seeds=(0.1, 0.3), rerun=0.01),
        TextRecord(part="hand", asked="a photo of a hand", clips=clips[:2]),
    ]
    return [
        SemanticsRecord(prompt="lemon", model="org/clip", version="2e1f", about="Cosine.", texts=texts, notes=["cut"]),
        SemanticsRecord(prompt="street", model="org/clip", reason="there is no such model", hint="name another"),
    ]


def _history() -> HistoryRecord:
    verdicts = [*Verdict, None]
    return HistoryRecord(
        against="last week",
        created="2025-11-15T19:13:04+00:00",
        sentence="one variant became worse",
        variants=[
            VariantHistory(
                prompt="lemon",
                name=name,
                change=change,
                verdict_before=verdicts[n % len(verdicts)],
                verdict_now=verdicts[-1 - n % len(verdicts)],
                drift_before=0.1 * n,
                drift_now=0.2,
                equal_frames=[True, False, None][n % 3],
            )
            for n, (name, change) in enumerate(zip(_LOCAL, Change, strict=True))
        ],
        facts=[FactChange(subject=subject, name="torch", before=None, now="2", runs=["dpm"]) for subject in Subject],
    )


def _cause(**changes: Any) -> CauseRecord:
    cause = CauseRecord(
        prompt="lemon",
        left="baseline",
        right="as-hosted",
        finished=True,
        suspects=[
            SuspectRecord(
                path="call.use_dynamic_cfg", left=None, right=True, standing=Standing.CAUSE, left_out=0.9, alone=0.4,
                weight=0.7,
            ),
            SuspectRecord(path="call.negative_prompt", left="x", right=None, standing=Standing.CAUSE),
            SuspectRecord(path="placement", left="cuda", right="cpu", standing=Standing.INNOCENT, why="it was seen"),
            SuspectRecord(path="vae.tiling", left=1, right=2, standing=Standing.UNDECIDED),
        ],
        proof="as-hosted",
        counter_proof="dpm",
        counter_reached=False,
        proofs=[
            ProofRecord(prompt="lemon", proof="as-hosted", reached=True, drift=0.0, counter_proof="dpm",
                        counter_reached=False, counter_drift=0.3),
            ProofRecord(prompt="street", proof="as-hosted", reached=False, counter_proof="dpm", counter_reached=None),
            ProofRecord(prompt="third", reason="the budget was spent"),
        ],
        interactions=[InteractionRecord(members=["a", "b"], index=0.1, sentence="a hides b")],
        outside=["torch: another version"],
        probes=[ProbeRecord(run="probe-1", changed=["call.use_dynamic_cfg"], reached=True)],
        sentence="the call makes the difference",
    )  # fmt: skip
    return cause.model_copy(update=changes)


# ---- what may be missing, or come out otherwise


def _bare(full: AuditRecord, plain: AuditRecord) -> AuditRecord:
    """Return an audit without gate, history's facts, warnings, scale, measured versions and a variant's comparison."""
    record = plain.model_copy(
        update={
            "gate": GateRecord(status=GateStatus.NONE),
            "finished": True,
            "warnings": [],
            "runs": [run.model_copy(update={"ignored": [], "warnings": []}) for run in plain.runs],
            "history": full.history.model_copy(update={"facts": []}) if full.history else None,
            "environment": plain.environment.model_copy(update={"local": {}, "hosted": {}}),
            "cause": _cause(suspects=_cause().suspects[:1], proofs=[]),
            "controls": [ControlRecord(prompt="lemon", name="a", expected="b", found="c", passed=True)],
            "comparisons": [
                c.model_copy(
                    update={
                        "drift": None,
                        "metrics": {
                            name: metric.model_copy(
                                update={"floor": None, "ceiling": None, "ceiling_spread": None, "drift": None}
                            )
                            for name, metric in c.metrics.items()
                        },
                    }
                )
                for c in plain.comparisons
                if c.candidate != "on-gpu"
            ],
        }
    )
    record = _run(record, "reference", settings={}, described="", clip=None)
    record = _run(record, "on-gpu", settings=record.run("lemon", "baseline").settings)
    record = _run(record, "sequential", reason="")
    return _run(record, "dpm", settings={})


def _with_verdicts(record: AuditRecord) -> Iterator[AuditRecord]:
    """Yield audits in which each verdict is the judged one's, and each state of the gate is one's."""
    for n, verdict in enumerate(Verdict):
        status = list(GateStatus)[n % len(GateStatus)]
        variant = "" if status is GateStatus.NONE or verdict is Verdict.NOT_MEASURED else "as-hosted"
        gate = GateRecord(status=status, variant=variant, max_drift=0.05)
        only = record.model_copy(
            update={"gate": gate, "runs": [run for run in record.runs if n or run.name != "baseline"]}
        )
        yield _compared(only, "as-hosted", verdict=verdict, metrics={} if n % 2 else record.comparisons[0].metrics)
    one = [run.model_copy(update={"ignored": run.ignored if run.name == "dpm" else []}) for run in record.runs]
    once = record.model_copy(update={"runs": one, "warnings": [], "gate": GateRecord(status=GateStatus.NOT_MEASURED)})
    yield once


def _with_other_causes(record: AuditRecord) -> Iterator[AuditRecord]:
    alone = record.model_copy(update={"prompts": record.prompts[:1]})
    for reached in (True, None):
        found = _cause(counter_reached=reached, proofs=_cause().proofs[:1], probes=_cause().probes * 2)
        yield alone.model_copy(update={"cause": found})
    yield alone.model_copy(update={"cause": _cause(counter_proof="", proofs=[])})


def _with_other_insides(record: AuditRecord) -> Iterator[AuditRecord]:
    """Yield audits whose runs were looked into, held against one thing or another."""
    yield record.model_copy(update={"traces": []})
    file = _run(record, "reference", source="video")
    for name, of in (("reference", record), ("as-hosted", record), ("as-hosted", file)):
        traces = [trace.model_copy(update={"reference": name}) for trace in record.traces]
        yield _compared(of.model_copy(update={"traces": traces}), "as-hosted", verdict=Verdict.CODEC_ONLY)
    yield file.model_copy(update={"traces": [_trace(stage) for stage in Stage]})
    calm = [
        run.model_copy(update={"trace": _calm(run.trace) if run.trace else None, "fed_by": ""}) for run in file.runs
    ]
    yield file.model_copy(update={"runs": calm})
    lost = [
        run.model_copy(update={"measured": False, "trace": None, "reason": "out of memory", "hint": "use less"})
        if run.role is Role.STEPS
        else run
        for run in record.runs
    ]
    yield record.model_copy(update={"runs": lost})
    for errors in ([2.0, *[1.0] * 48], [1.0, 0.0, 1.0, 0.5]):
        yield record.model_copy(update={"runs": [_spread(run, errors) for run in record.runs]})


def _spread(run: RunRecord, errors: list[float]) -> RunRecord:
    """Return a run that took over text embeddings, and whose steps, where they stood alone, had these errors."""
    if run.trace is None:
        return run
    own = errors if run.role is Role.STEPS else []
    return run.model_copy(
        update={"trace": run.trace.model_copy(update={"own_errors": own, "shared": ["text embeddings"]})}
    )


def _calm(trace: TraceRecord) -> TraceRecord:
    """Return a trace whose guidance and timesteps are the same throughout, and in which nothing was taken over."""
    steps = [step.model_copy(update={"guidance": 6.0, "timestep": None}) for step in trace.steps]
    return trace.model_copy(update={"steps": steps, "shared": [], "own_errors": [0.0 for _ in trace.own_errors]})


def _trace(stage: Stage) -> TraceComparisonRecord:
    distances = [0.0, 0.1] if stage is Stage.NOISE else [None, None]
    return TraceComparisonRecord(
        prompt="lemon", reference="baseline", candidate="dpm", stage=stage, step=None, sentence="s", distances=distances
    )
