"""Parity as an assertion: an audit that fails a test, with the answer as its message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spacediff.api.audits import run_audit
from spacediff.api.given import StrPath
from spacediff.errors import InvalidArgument

if TYPE_CHECKING:
    from spacediff.record import AuditRecord, ComparisonRecord
    from spacediff.results import AuditResult


def assert_reproduces(
    scenario: StrPath,
    *,
    variant: str = "",
    max_drift: float | None = None,
    out: StrPath | None = None,
    approximate: bool = False,
) -> AuditResult:
    """Run a scenario, and raise an AssertionError unless a run of it reproduces the reference on every prompt.

    Args:
        scenario: The scenario's file; its reference may be a Space, a file, a recording, a program or an API.
        variant: The run that has to reproduce it; by default that of the gate, else the baseline.
        max_drift: The largest drift that counts as reproduced, where 0 is a re-run and 1 a different seed; by default
            the gate's. Without either, only what equals the reference but for the codec does.
        out: The audit folder; by default `audits/` and the scenario's name.
        approximate: Whether a scenario that leaves out what its script does is accepted.

    Returns:
        What the audit found.

    Raises:
        AssertionError: It does not, or that was not measured; or neither run nor drift are given, and the scenario's
            gate did not pass. The message says why and where the report is.
        InvalidArgument: `max_drift` is negative.
        SpacediffError: The scenario cannot be run, as in `run_audit`.
    """
    from spacediff.wording import cause_text, sentences

    if max_drift is not None and not max_drift >= 0:
        raise InvalidArgument(f"max_drift = {max_drift} is no drift", hint="0 is a re-run, 1 a different seed")
    result = run_audit(scenario, out=out, approximate=approximate)
    record = result.record
    name = variant or record.gate.variant or "baseline"
    limit = record.gate.max_drift if max_drift is None else max_drift
    failures = list(_failures(record, name, limit))
    if not (variant or max_drift is not None or result.passed):
        failures += sentences(record.gate.reasons)
    if failures:
        cause = [f"cause: {cause_text(record)}"] if record.cause else []
        raise AssertionError("\n".join([*failures, *cause, f"report: {result.report}"]))
    return result


def _failures(record: AuditRecord, name: str, limit: float | None) -> Iterator[str]:
    """Say for each prompt why a run does not reproduce the reference."""
    from spacediff.record import Verdict
    from spacediff.wording import answer_sentences, outcome, paragraph, presenting

    with presenting(record):
        if not record.finished:
            yield "the audit was interrupted"
        for control in record.controls:
            if not control.passed:
                yield f"a control failed ({control.prompt}): {paragraph(control.found)}"
        for prompt in record.prompts:
            found = _comparison(record, prompt.name, name)
            if found is None or found.verdict is Verdict.NOT_MEASURED:
                yield f"{prompt.name}: {name} was not compared with the reference{_why(record, prompt.name, name)}"
            elif not _reproduced(found, limit):
                yield f"{prompt.name}: {name} does not reproduce the reference: {outcome(found.verdict, found.drift)}"
                yield from (f"  {said}" for said in answer_sentences(record, prompt.name))


def _comparison(record: AuditRecord, prompt: str, name: str) -> ComparisonRecord | None:
    wanted = (prompt, record.reference, name)
    return next((each for each in record.comparisons if (each.prompt, each.reference, each.candidate) == wanted), None)


def _reproduced(found: ComparisonRecord, limit: float | None) -> bool:
    within = limit is not None and found.verdict.comparable and found.drift is not None and found.drift <= limit
    return found.verdict.matches or within


def _why(record: AuditRecord, prompt: str, name: str) -> str:
    """Return why a run, or the reference, has no clip; the nearest name where there is no such run."""
    from spacediff.errors import did_you_mean

    runs = {run.name: run for run in record.runs if run.prompt == prompt}
    if name not in runs:
        return f": there is no such run{did_you_mean(name, runs)}"
    reasons = [runs[each].reason for each in (record.reference, name) if each in runs and runs[each].failed]
    return f": {reasons[0]}" if reasons else ""
