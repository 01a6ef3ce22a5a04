"""The audit: run what is planned, explain, compare, describe, record.

Each stage takes what the one before it returned, and returns a result that nothing changes any more. An interruption
ends a stage early: it returns what was finished, the stages after it return nothing, and the record says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path

from spacediff import __version__
from spacediff.comparing.contents import sound_warning
from spacediff.comparing.controls import seeds_not_put_in
from spacediff.comparing.noise_streams import stream_warning
from spacediff.comparing.prompt import PromptComparison, compare_prompt
from spacediff.comparing.requests import of_one_request
from spacediff.comparing.samples import compare_samples
from spacediff.comparing.semantics import measure_semantics, write_into_tables
from spacediff.enclosed import discard_enclosed, enclose_script
from spacediff.errors import FolderOfAnotherAudit, SpacediffError
from spacediff.executor import Executor, executor_for
from spacediff.explaining.conclusion import cause_record
from spacediff.gate.gate import evaluate_gate, evaluate_over_time
from spacediff.gate.history import history_of
from spacediff.generating import Generated, generate
from spacediff.interrupts import clear, until_interrupted
from spacediff.kept_references import kept_references, take_references
from spacediff.metrics import Metric, select_metrics
from spacediff.metrics.motion import MEASURES
from spacediff.plan import Plan
from spacediff.privacy.private_prompts import private
from spacediff.privacy.redaction import redact_text
from spacediff.progress import ProgressListener
from spacediff.record import (
    UNPAIRED,
    AuditRecord,
    ComparisonRecord,
    Control,
    ControlRecord,
    EnvironmentRecord,
    Fact,
    FactKind,
    Role,
    RunRecord,
    SamplesRecord,
    SemanticsRecord,
    fact,
    quoted,
    read_record,
    redacted,
    with_derived,
    write_record,
)
from spacediff.run import Prompt
from spacediff.store.store import Store
from spacediff.worker.records import prompt_record, without_digests_of_inputs

PRIVATE_SCENARIO = "# not kept: a prompt of this scenario is private"


@dataclass(frozen=True)
class Earlier:
    """An audit that this one is compared with.

    Attributes:
        record: Its record.
        name: Its name for people.
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
    quota_wait: float = 0.0,
    reference_from: Path | None = None,
) -> AuditRecord:
    """Execute a plan and leave everything in the audit folder.

    What an earlier, interrupted audit finished is not done again. When this one is interrupted, what it finished is
    recorded as unfinished, and the same call continues from there.

    Args:
        plan: What to do; see `spacediff.plan`.
        folder: The audit folder; made when it is missing.
        listener: Called as the audit goes on.
        executor: Executes the runs; by default in a process of their own.
        reuse: Whether a run takes over what an earlier one computed that shares everything before it.
        earlier: The audit that this one is compared with; None for none.
        quota_wait: Seconds that may be waited for GPU quotas of Spaces to be renewed.
        reference_from: Another audit folder, whose reference is taken where it was fetched by the same request.

    Returns:
        The record as it stands in the folder, redacted.

    Raises:
        SpacediffError: The folder holds an audit of something else, another audit is writing into it, a metric's
            package is missing, or the other folder does not have the reference.
    """
    began, since = time.monotonic(), datetime.now(UTC)
    with private(plan.private_texts):
        ensure_same_audit(plan, folder)
    metrics = select_metrics(plan.metrics)
    store = Store(folder)
    listener.on_plan(plan.runs)
    with store.locked(), private(plan.private_texts):
        _enclose(plan, folder)
        if reference_from is not None:
            take_references(plan, store, reference_from)
        executing = executor or executor_for(
            plan.runs,
            folder,
            reuse=reuse,
            keep_latents=plan.keep_latents,
            quota_wait=quota_wait,
            threads=plan.resources.cpus,
        )
        generated = generate(plan, store, executing, metrics, listener)
        plan = generated.plan
        compared = _compare(plan, generated, folder, metrics, listener)
        described = _describe(plan, compared, folder, listener)
        if described.interrupted:
            clear()  # it was followed
        kept = kept_references(generated.runs, since)
        record = partial(_record, plan, described, earlier, folder, began=began, kept=kept)
        try:
            write_record(record(), folder)
        except KeyboardInterrupt:
            write_record(record(), folder)  # from the same results; a second interrupt is obeyed at once
            raise
    return read_record(folder)


def _enclose(plan: Plan, folder: Path) -> None:
    """Keep the script that is the baseline, if one is; nothing is kept where a prompt is private."""
    script = next((Path(run.request["script"]) for run in plan.runs if run.source == "script"), None)
    if any(prompt.private for prompt in plan.prompts):
        discard_enclosed(folder)
    elif script:
        enclose_script(folder, script)


def _over_time(record: AuditRecord, plan: Plan, earlier: Earlier | None) -> AuditRecord:
    """Compare a redacted record with an earlier one, and evaluate a gate on the accepted state."""
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
    raise FolderOfAnotherAudit(
        f"{folder} holds another audit: {_named(there.title, there.scenario_name)}; this one is "
        f"{_named(plan.title, plan.scenario_name)}",
        hint="give another folder, or remove that one",
    )


def _named(title: str, scenario_name: str) -> str:
    return f"{title!r} ({scenario_name})" if scenario_name else repr(title)


@dataclass(frozen=True)
class _Compared:
    """How the runs compare with the reference.

    Attributes:
        generated: The runs.
        prompts: One result for each prompt, in the order of the plan.
        interrupted: Whether prompts are missing because of an interruption, be it an earlier one.
    """

    generated: Generated
    prompts: tuple[PromptComparison, ...] = ()
    interrupted: bool = False

    @property
    def comparisons(self) -> list[ComparisonRecord]:
        """The comparisons of all prompts."""
        return [comparison for prompt in self.prompts for comparison in prompt.comparisons]

    @property
    def controls(self) -> list[ControlRecord]:
        """The controls of all prompts."""
        return [control for prompt in self.prompts for control in prompt.controls]


def _compare(
    plan: Plan, generated: Generated, folder: Path, metrics: tuple[Metric, ...], listener: ProgressListener
) -> _Compared:
    def of_prompt(prompt: Prompt) -> PromptComparison:
        listener.on_status(f"scoring {prompt.name}")
        runs = [run for run in generated.runs if run.prompt == prompt.name]
        reference = next(run for run in runs if run.name == plan.reference)
        candidates = [run for run in runs if run is not reference and run.role not in UNPAIRED]
        found = compare_prompt(
            reference, candidates, folder, metrics, listener.on_step, scores=generated.scores.get(prompt.name)
        )
        if prompt.name in plan.without_reference:
            return _among_themselves(found, candidates, folder, metrics, listener)
        instead = [each for each in plan.instead if each.values["prompt"] == prompt.name]
        return replace(found, comparisons=of_one_request(found.comparisons, reference, candidates, instead))

    if generated.interrupted:
        return _Compared(generated, interrupted=True)
    return _Compared(generated, *until_interrupted(map(of_prompt, plan.prompts)))


def _among_themselves(
    found: PromptComparison,
    runs: Sequence[RunRecord],
    folder: Path,
    metrics: tuple[Metric, ...],
    listener: ProgressListener,
) -> PromptComparison:
    """Compare the runs of this machine with the baseline, where their reference is unavailable."""
    baseline = next((run for run in runs if run.role is Role.BASELINE and run.measured), None)
    if baseline is None:
        return found
    others = [run for run in runs if run is not baseline and run.role is not Role.REPEAT]
    local = compare_prompt(baseline, others, folder, metrics, listener.on_step)
    comparisons = [each.model_copy(update={"map": None}) for each in local.comparisons]
    return replace(
        found, local=comparisons, controls=[each for each in local.controls if each.control is not Control.ITSELF]
    )


@dataclass(frozen=True)
class _Described:
    """What the clips show, where the scenario names a model for it, and how groups of them compare.

    Attributes:
        compared: The comparisons.
        semantics: One record for each prompt.
        samples: The groups of clips; None where the scenario compares none.
        interrupted: Whether some are missing because of an interruption, be it an earlier one.
    """

    compared: _Compared
    semantics: tuple[SemanticsRecord, ...] = ()
    samples: tuple[SamplesRecord, ...] | None = None
    interrupted: bool = False


def _describe(plan: Plan, compared: _Compared, folder: Path, listener: ProgressListener) -> _Described:
    def measured() -> Iterator[SemanticsRecord]:
        if plan.semantics is not None:
            listener.on_status("what the clips show")
        files = {(each.prompt, name): file for each in compared.prompts for name, file in each.files.items()}
        for record in measure_semantics(plan, compared.generated.runs, files, folder, listener):
            write_into_tables(record, compared.comparisons, folder)
            yield record

    if compared.interrupted:
        return _Described(compared, interrupted=True)
    semantics, interrupted = until_interrupted(measured())
    described = _Described(compared, semantics, interrupted=interrupted)
    return _sampled(plan, described, folder, listener) if plan.grouped and not interrupted else described


def _sampled(plan: Plan, described: _Described, folder: Path, listener: ProgressListener) -> _Described:
    """Compare the clips of each candidate with those of the reference, as two groups."""

    def compared() -> Iterator[list[SamplesRecord]]:
        listener.on_status("comparing groups")
        yield compare_samples(plan, described.compared.generated.runs, folder, listener)

    found, interrupted = until_interrupted(compared())
    return replace(described, samples=tuple(chain.from_iterable(found)), interrupted=interrupted)


def _record(
    plan: Plan, described: _Described, earlier: Earlier | None, folder: Path, *, began: float, kept: Sequence[Fact]
) -> AuditRecord:
    """Make the record of an audit, redacted."""
    found = _recorded(plan, described, folder, seconds=time.monotonic() - began)
    lost = _lost_references(described.compared)
    found = found.model_copy(update={"about_reference": [*lost, *plan.instead, *kept]})
    return _over_time(with_derived(redacted(found)), plan, earlier)


def _recorded(plan: Plan, described: _Described, folder: Path, *, seconds: float) -> AuditRecord:
    compared, generated = described.compared, described.compared.generated
    search, runs, comparisons = generated.search, list(generated.runs), compared.comparisons
    here = dict(generated.environment)
    hosted = next((run.hosted for run in runs if run.hosted), {})
    hidden = {prompt.name for prompt in plan.prompts if prompt.private}
    doubts = _doubts(compared, finished=not described.interrupted)
    cautions = [
        *generated.changed,
        *stream_warning(here.get("torch", ""), hosted.get("torch", ""), runs),
        *sound_warning(runs),
    ]
    return AuditRecord(
        spacediff_version=__version__,
        title=plan.title,
        question=plan.question,
        scenario=PRIVATE_SCENARIO if any(prompt.private for prompt in plan.prompts) else plan.scenario,
        scenario_name=plan.scenario_name,
        command=plan.command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        finished=not described.interrupted,
        seconds=seconds,
        prompts=[prompt_record(prompt, folder, plan.used.get(prompt.name)) for prompt in plan.prompts],
        reference=plan.reference,
        runs=[without_digests_of_inputs(run) if run.prompt in hidden else run for run in runs],
        comparisons=comparisons,
        metrics=[metric.info for metric in select_metrics(plan.metrics)],
        measures=[measure.info for measure in MEASURES],
        controls=compared.controls,
        resolutions=[resolution for each in compared.prompts for resolution in each.resolutions],
        traces=[trace for each in compared.prompts for trace in each.traces],
        semantics=list(described.semantics),
        samples=list(described.samples or ()),
        cause=search and cause_record(search, comparisons, runs, here),
        gate=evaluate_gate(
            plan.gate,
            [prompt.name for prompt in plan.prompts],
            comparisons,
            doubts,
            (described.samples or ()) if plan.grouped else None,
        ),
        warnings=[*doubts, *cautions],
        approximations=list(plan.approximations),
        local_comparisons=[each for found in compared.prompts for each in found.local],
        environment=EnvironmentRecord(local=here, hosted=hosted),
        forecast=generated.forecast,
        determinism=generated.determinism,
    )


def _lost_references(compared: _Compared) -> list[Fact]:
    """Return the prompts whose reference is unavailable, so that their runs are compared with the baseline."""
    name = compared.generated.plan.reference
    reasons = {run.prompt: run.reason for run in compared.generated.runs if run.name == name}
    return [
        fact(FactKind.REFERENCE_UNAVAILABLE, quoted(reasons[each.prompt]), prompt=each.prompt, baseline="baseline")
        for each in compared.prompts
        if each.local
    ]


def _doubts(compared: _Compared, *, finished: bool) -> list[Fact]:
    """Return what keeps the numbers from being trusted."""
    failed = [control for control in compared.controls if not control.passed]
    return [
        *([] if finished else [fact(FactKind.AUDIT_INTERRUPTED)]),
        *seeds_not_put_in(compared.generated.runs),
        *(
            fact(FactKind.CONTROL_FAILED, *each.found, prompt=each.prompt, control=each.control, run=each.run)
            for each in failed
        ),
    ]
