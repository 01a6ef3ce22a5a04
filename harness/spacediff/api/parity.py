"""Parity as an assertion: an audit that fails a test, with the answer as its message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from spacediff.api.audits import load_scenario, run_audit
from spacediff.api.given import StrPath
from spacediff.errors import InvalidArgument

if TYPE_CHECKING:
    from spacediff.record import AuditRecord, ComparisonRecord, Fact
    from spacediff.results import AuditResult
    from spacediff.scenario.scenario import Gate

_Limits: TypeAlias = "tuple[float, float | None]"
"""The largest drift, and the largest of the worst tile; None for no limit of that."""


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
            the gate's. Without either, only what equals the reference but for the codec does. It is judged as a gate
            judges it, in the worst tile too.
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

    __tracebackhide__ = True  # what pytest shows is the test
    if max_drift is not None and not max_drift >= 0:
        raise InvalidArgument(f"max_drift = {max_drift} is no drift", hint="0 is a re-run, 1 a different seed")
    loaded = load_scenario(scenario)
    result = run_audit(loaded, out=out, approximate=approximate)
    record = result.record
    name = variant or record.gate.variant or "baseline"
    failures = list(_failures(record, name, _limits(loaded.gate, record, max_drift)))
    if not (variant or max_drift is not None or result.passed):
        failures += sentences(record.gate.reasons)
    if failures:
        cause = [f"cause: {cause_text(record)}"] if record.cause else []
        raise AssertionError("\n".join([*failures, *cause, f"report: {result.report}"]))
    return result


def _limits(gate: Gate | None, record: AuditRecord, max_drift: float | None) -> _Limits | None:
    """Return the limits of the drift and of the worst tile's; None where only a match counts."""
    limit = record.gate.max_drift if max_drift is None else max_drift
    if limit is None:
        return None
    return limit, limit if gate is None or gate.max_worst_tile is None else gate.tile_limit


def _failures(record: AuditRecord, name: str, limits: _Limits | None) -> Iterator[str]:
    """Say for each prompt why a run does not reproduce the reference."""
    from spacediff.record import Verdict
    from spacediff.wording import answer_sentences, outcome, paragraph, presenting, sentences

    with presenting(record):
        if not record.finished:
            yield "the audit was interrupted"
        for control in record.controls:
            if not control.passed:
                yield f"a control failed ({control.prompt}): {paragraph(control.found)}"
        for prompt in record.prompts:
            found = record.comparison(prompt.name, name)
            if found is None or found.verdict is Verdict.NOT_MEASURED:
                yield f"{prompt.name}: {name} was not compared with the reference{_why(record, prompt.name, name)}"
                continue
            above = _above(found, limits) if limits else []
            if not found.verdict.matches and (above or limits is None):
                yield f"{prompt.name}: {name} does not reproduce the reference: {outcome(found.verdict, found.drift)}"
                yield from (f"  {said}" for said in (*answer_sentences(record, prompt.name), *sentences(above)))


def _above(found: ComparisonRecord, limits: _Limits) -> list[Fact]:
    """Return what a gate with these limits does not pass."""
    from spacediff.gate.gate import outcomes_of
    from spacediff.record import GateStatus

    outcomes = outcomes_of(found.prompt, found, *limits)
    return [reason for status, reason in outcomes if status is not GateStatus.PASSED]


def _why(record: AuditRecord, prompt: str, name: str) -> str:
    """Return why a run, or the reference, has no clip; the nearest name where there is no such run."""
    from spacediff.errors import did_you_mean

    runs = {run.name: run for run in record.runs if run.prompt == prompt}
    if name not in runs:
        return f": there is no such run{did_you_mean(name, runs)}"
    reasons = [runs[each].reason for each in (record.reference, name) if each in runs and runs[each].failed]
    return f": {reasons[0]}" if reasons else ""
