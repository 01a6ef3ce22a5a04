"""The audit: run what is planned, compare, judge, record. Each step takes what the one before returned."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from spacediff import __version__
from spacediff.comparing.comparison import compare_prompt
from spacediff.comparing.noise_streams import stream_warning
from spacediff.comparing.semantics import measure_semantics, write_into_tables
from spacediff.comparing.traces import compare_traces, reference_trace
from spacediff.environment import environment
from spacediff.errors import SpacediffError
from spacediff.executor import Executor, InProcess
from spacediff.explaining.conclusion import cause_record
from spacediff.explaining.explain import Explaining, explain
from spacediff.gate.gate import evaluate_gate, evaluate_over_time
from spacediff.gate.history import history_of
from spacediff.interrupts import clear, raise_if_interrupted
from spacediff.metrics import Metric, chosen
from spacediff.metrics.motion import MEASURES
from spacediff.plan import Plan, Run
from spacediff.privacy.private_words import private
from spacediff.privacy.redaction import redact_text
from spacediff.progress import ProgressListener
from spacediff.record import (
    AuditRecord,
    ComparisonRecord,
    ControlRecord,
    EnvironmentRecord,
    PromptRecord,
    ResolutionRecord,
    Role,
    RunRecord,
    SemanticsRecord,
    TraceComparisonRecord,
    read_record,
    redacted,
    write_record,
)
from spacediff.store.runs import Store

PRIVATE_SCENARIO = "# not kept: a prompt of this scenario is private"


@dataclass(frozen=True)
class Earlier:
    """An audit that this one is held against.

    Attributes:
        record: Its record, as it was read.
        name: What it is called.
        accepted: Whether it is the accepted state, which a gate may ask for.
    """

    record: AuditRecord
    name: str
    accepted: bool


def audit(
    plan: Plan,
    folder: Path,
    listener: ProgressListener,
    executor: Executor | None = None,
    *,
    reuse: bool = True,
    earlier: Earlier | None = None,
) -> AuditRecord:
    """Carry a plan out and leave everything in the audit folder.

    What an earlier, interrupted audit finished is taken over. When this one is interrupted, what it finished is
    recorded as unfinished, and the same call goes on from there.

    Args:
        plan: What to do; see `spacediff.plan`.
        folder: The audit folder; made when it is missing.
        listener: Hears how it goes on.
        executor: Where runs are carried out; by default in this process.
        reuse: Whether a run in this process takes over what an earlier one computed that shares everything before it.
        earlier: The audit that this one is held against; None for none.

    Returns:
        The record as it stands in the folder, redacted.

    Raises:
        SpacediffError: The folder holds an audit of something else, another audit is writing into it, or a metric's
            package is missing.
    """
    began = time.monotonic()
    with private(plan.private_texts):
        ensure_same_audit(plan, folder)
    metrics = chosen(plan.metrics)
    here = environment()
    store, done = Store(folder), _Done()
    listener.on_plan(plan.runs)
    with store.locked(), private(plan.private_texts):
        try:
            with executor or InProcess(here, reuse=reuse, keep_latents=plan.keep_latents) as carrying:
                _run(plan, store, carrying, listener, done)
                _explain(plan, store, carrying, listener, done)
            _compare(plan, folder, metrics, listener, done)
            _see(plan, folder, listener, done)
            raise_if_interrupted()
        except KeyboardInterrupt:
            clear()
            done.finished = False
        record = redacted(_recorded(plan, here, done, seconds=time.monotonic() - began))
        write_record(_over_time(record, plan, earlier), folder)
    return read_record(folder)


def _over_time(record: AuditRecord, plan: Plan, earlier: Earlier | None) -> AuditRecord:
    """Hold a redacted record against an earlier one, and the gate against the accepted state."""
    if not record.finished:
        return record
    history = history_of(earlier.record, record, earlier.name) if earlier else None
    accepted = history if earlier and earlier.accepted else None
    gate = evaluate_over_time(record.gate, plan.gate, accepted)
    return record.model_copy(update={"history": history, "gate": gate})


def ensure_same_audit(plan: Plan, folder: Path) -> None:
    """Refuse a folder that holds an audit of something else, which this one would overwrite.

    Raises:
        SpacediffError: The audit in the folder has another title or another scenario.
    """
    try:
        there = read_record(folder)
    except SpacediffError:
        return  # none, or none that can be read
    if (there.title, there.scenario_name) == (redact_text(plan.title), redact_text(plan.scenario_name)):
        return
    raise SpacediffError(
        f"{folder} holds another audit: {_named(there.title, there.scenario_name)}; this one is "
        f"{_named(plan.title, plan.scenario_name)}",
        hint="give another folder with --out, or remove that one",
    )


def _named(title: str, scenario_name: str) -> str:
    return f"{title!r} ({scenario_name})" if scenario_name else repr(title)


@dataclass
class _Done:
    """What an audit has so far."""

    runs: list[RunRecord] = field(default_factory=list)
    comparisons: list[ComparisonRecord] = field(default_factory=list)
    controls: list[ControlRecord] = field(default_factory=list)
    resolutions: list[ResolutionRecord] = field(default_factory=list)
    traces: list[TraceComparisonRecord] = field(default_factory=list)
    files: dict[tuple[str, str], Path] = field(default_factory=dict)
    semantics: list[SemanticsRecord] = field(default_factory=list)
    explaining: Explaining | None = None
    finished: bool = True


def _run(plan: Plan, store: Store, executor: Executor, listener: ProgressListener, done: _Done) -> None:
    store.forget_drafts()
    order = {(run.prompt.name, run.name): number for number, run in enumerate(plan.runs)}
    for record in executor.execute(plan.runs, store, listener):
        done.runs.append(record)
        done.runs.sort(key=lambda run: order[run.prompt, run.name])


def _explain(plan: Plan, store: Store, executor: Executor, listener: ProgressListener, done: _Done) -> None:
    def generate(run: Run) -> RunRecord:
        (record,) = executor.execute([run], store, listener)
        done.runs.append(record)
        return record

    for explaining in explain(plan, done.runs, store.folder, generate, listener):
        done.explaining = explaining


def _compare(plan: Plan, folder: Path, metrics: tuple[Metric, ...], listener: ProgressListener, done: _Done) -> None:
    for prompt in plan.prompts:
        listener.on_status(f"scoring {prompt.name}")
        of_prompt = [run for run in done.runs if run.prompt == prompt.name]
        reference = next(run for run in of_prompt if run.name == plan.reference)
        candidates = [run for run in of_prompt if run is not reference and run.role is not Role.STEPS]
        compared = compare_prompt(reference, candidates, folder, metrics, listener.on_step)
        done.comparisons += compared.comparisons
        done.controls += compared.controls
        done.resolutions += compared.resolutions
        done.traces += _traces(reference, candidates, compared.comparisons, folder)
        done.files |= {(prompt.name, name): file for name, file in compared.files.items()}


def _see(plan: Plan, folder: Path, listener: ProgressListener, done: _Done) -> None:
    """Measure what the clips show, where the scenario names a model for it."""
    if plan.semantics is not None:
        listener.on_status("what the clips show")
    for found in measure_semantics(plan, done.runs, done.files, folder, listener):
        write_into_tables(found, done.comparisons, folder)
        done.semantics.append(found)


def _traces(
    reference: RunRecord, candidates: list[RunRecord], comparisons: list[ComparisonRecord], folder: Path
) -> list[TraceComparisonRecord]:
    held = reference_trace(reference, candidates, comparisons)
    if held is None:
        return []
    found = (compare_traces(held, run, folder) for run in candidates if run is not held)
    return [each for each in found if each is not None]


def _doubts(done: _Done) -> list[str]:
    """Return what keeps the numbers from being trusted."""
    doubts = [] if done.finished else ["the audit was interrupted"]
    return doubts + [
        f"{control.prompt}: a control failed: {control.name} has to be {control.expected}, found {control.found}"
        for control in done.controls
        if not control.passed
    ]


def _cautions(done: _Done, here: dict[str, str]) -> list[str]:
    """Return what the reader should know beside that."""
    caution = stream_warning(here["torch"], _hosted(done).get("torch", ""), done.runs)
    return [caution] if caution else []


def _hosted(done: _Done) -> dict[str, str]:
    return next((run.hosted for run in done.runs if run.hosted), {})


def _recorded(plan: Plan, here: dict[str, str], done: _Done, *, seconds: float) -> AuditRecord:
    return AuditRecord(
        spacediff_version=__version__,
        title=plan.title,
        question=plan.question,
        scenario=PRIVATE_SCENARIO if any(prompt.private for prompt in plan.prompts) else plan.scenario,
        scenario_name=plan.scenario_name,
        command=plan.command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        finished=done.finished,
        seconds=seconds,
        prompts=[
            PromptRecord(
                name=prompt.name,
                text="" if prompt.private else prompt.text,
                seed=prompt.seed,
                private=prompt.private,
            )
            for prompt in plan.prompts
        ],
        reference=plan.reference,
        runs=done.runs,
        comparisons=done.comparisons,
        metrics=[metric.info for metric in chosen(plan.metrics)],
        measures=[measure.info for measure in MEASURES],
        controls=done.controls,
        resolutions=done.resolutions,
        traces=done.traces,
        semantics=done.semantics,
        cause=done.explaining and cause_record(done.explaining, done.comparisons, done.runs, here),
        gate=evaluate_gate(plan.gate, [prompt.name for prompt in plan.prompts], done.comparisons, _doubts(done)),
        warnings=_doubts(done) + _cautions(done, here),
        environment=EnvironmentRecord(local=here, hosted=_hosted(done)),
    )
