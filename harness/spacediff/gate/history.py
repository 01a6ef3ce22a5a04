"""Over time: an audit compared with an earlier one, as a pure function of the two records.

The key insight: each audit measures its own scale of drift, so two drifts are comparable only as far as a report shows
them. A change of verdict means little without the facts that changed with it, so both are recorded together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from spacediff.privacy.private_prompts import private, texts_in
from spacediff.privacy.redaction import redact
from spacediff.record import (
    AuditRecord,
    Change,
    ComparisonRecord,
    FactChange,
    HistoryRecord,
    Role,
    RunRecord,
    Subject,
    VariantHistory,
    Verdict,
    recorded_settings,
)
from spacediff.record.file import field_names
from spacediff.settings import Origin, Setting, diff

DECIMALS = 3
"""A drift counts as changed when it reads otherwise: reports show three decimals."""

_LADDER = {
    Verdict.IDENTICAL: 0,
    Verdict.CODEC_ONLY: 0,
    Verdict.NUMERIC_DRIFT: 1,
    Verdict.SETTINGS_DIFFER: 2,
    Verdict.DIFFERENT_SAMPLE: 3,
}
"""From the closest to the farthest; a verdict that is not here has no place among them."""
_SHOWN_OF_DIGEST = 12
_AS_GOOD_AS_EQUAL = 1e-4
"""Relative; metrics of equal clips differ by less from one machine to another."""
_HIDDEN = "[private]"


def history_of(before: AuditRecord, now: AuditRecord, against: str) -> HistoryRecord:
    """Compare an audit with an earlier one; private words of either are not shown.

    Args:
        before: The earlier record, redacted.
        now: The record of today, redacted: else a path would differ from its own redaction.
        against: What the earlier audit is called.
    """
    found = HistoryRecord(
        against=against,
        created=before.created,
        variants=list(_variants(before, now)),
        facts=list(_facts(before, now)),
    )
    with private(_private_now(before, now)):
        redacted = HistoryRecord.model_validate(redact(found.model_dump(mode="json"), field_names()))
    return redacted.model_copy(update={"facts": [fact for fact in redacted.facts if fact.before != fact.now]})


def _private_now(before: AuditRecord, now: AuditRecord) -> Iterator[str]:
    """Yield the words of the earlier audit that have become private since, or belong to a prompt that is gone."""
    if not _any_private(now):
        return
    shown = {prompt.name for prompt in now.prompts if not prompt.private}
    yield from (prompt.text for prompt in before.prompts if prompt.name not in shown)
    for found in before.semantics:
        if found.prompt not in shown:
            yield from (text.part for text in found.texts)
    for run in before.runs:
        yield from (t for path, each in run.settings.items() if "prompt" in path for t in texts_in(each.value))


def _any_private(record: AuditRecord) -> bool:
    return any(prompt.private for prompt in record.prompts)


def change_of(before: ComparisonRecord | None, now: ComparisonRecord | None) -> Change:
    """Return how a comparison differs from its earlier self; at least one of them is there."""
    if before is None:
        return Change.NEW
    if now is None:
        return Change.GONE
    blank = not before.verdict.comparable, not now.verdict.comparable
    if any(blank):
        return {(True, True): Change.SAME, (True, False): Change.GAINED, (False, True): Change.LOST}[blank]
    if before.verdict != now.verdict and (by_class := _by_class(before.verdict, now.verdict)):
        return by_class
    return _by_numbers(before, now)


def _by_numbers(before: ComparisonRecord, now: ComparisonRecord) -> Change:
    """Return what the numbers show of two comparisons with the same class."""
    then, today = _rounded(before.drift), _rounded(now.drift)
    if then is not None and today is not None and then != today:
        return Change.WORSE if today > then else Change.BETTER
    if before.verdict != now.verdict or (then is None) != (today is None):
        return Change.OTHER
    return Change.SAME if then is not None or _same_metrics(before, now) else Change.OTHER


def _same_metrics(before: ComparisonRecord, now: ComparisonRecord) -> bool:
    """Return whether what both were measured by came out the same; without a scale no more is known."""
    shared = before.metrics.keys() & now.metrics.keys()
    if not shared:
        return not (before.metrics or now.metrics)
    pooled = ((before.metrics[name].pooled, now.metrics[name].pooled) for name in shared)
    return all(math.isclose(*pair, rel_tol=_AS_GOOD_AS_EQUAL, abs_tol=_AS_GOOD_AS_EQUAL) for pair in pooled)


def _by_class(before: Verdict, now: Verdict) -> Change | None:
    """Return what the two classes show; None where both are one rung of the ladder."""
    if before in _LADDER and now in _LADDER:
        rungs = _LADDER[before], _LADDER[now]
        return None if rungs[0] == rungs[1] else Change.WORSE if rungs[1] > rungs[0] else Change.BETTER
    if _LADDER.get(before) == 0:
        return Change.WORSE
    return Change.BETTER if _LADDER.get(now) == 0 else Change.OTHER


def _rounded(drift: float | None) -> float | None:
    return None if drift is None else round(drift, DECIMALS)


def _variants(before: AuditRecord, now: AuditRecord) -> Iterator[VariantHistory]:
    then, today = _compared(before), _compared(now)
    for prompt, name in dict.fromkeys([*today, *then]):
        old, new = then.get((prompt, name)), today.get((prompt, name))
        yield VariantHistory(
            prompt=prompt,
            name=name,
            change=change_of(old, new),
            verdict_before=old.verdict if old else None,
            verdict_now=new.verdict if new else None,
            drift_before=old.drift if old else None,
            drift_now=new.drift if new else None,
            equal_frames=_equal_frames(_run(before, prompt, name), _run(now, prompt, name)),
        )


def _compared(record: AuditRecord) -> dict[tuple[str, str], ComparisonRecord]:
    """Return the comparisons of baseline and variants; what the search made for its proof is none of the scenario's."""
    proofs = {record.cause.proof, record.cause.counter_proof} if record.cause else set()
    wanted = {
        (run.prompt, run.name)
        for run in record.runs
        if run.role in {Role.BASELINE, Role.VARIANT} and run.name not in proofs
    }
    found = {(each.prompt, each.candidate): each for each in record.comparisons}
    return {place: each for place, each in found.items() if place in wanted}


def _run(record: AuditRecord, prompt: str, name: str) -> RunRecord | None:
    return next((run for run in record.runs if (run.prompt, run.name) == (prompt, name)), None)


def _equal_frames(before: RunRecord | None, now: RunRecord | None) -> bool | None:
    if not (before and now and before.clip and now.clip):
        return None
    return before.clip.digest == now.clip.digest


def _facts(before: AuditRecord, now: AuditRecord) -> Iterator[FactChange]:
    for name, then, today in (
        ("title", before.title, now.title),
        ("scenario", before.scenario_name, now.scenario_name),
        ("reference", before.reference, now.reference),
        ("metrics", _metrics(before), _metrics(now)),
    ):
        if then != today:
            yield FactChange(subject=Subject.AUDIT, name=name, before=then, now=today)
    yield from _of_prompts(before, now)
    yield from _of_reference(before, now)
    yield from _of_table(Subject.SPACE, before.environment.hosted, now.environment.hosted)
    yield from _of_table(Subject.MACHINE, before.environment.local, now.environment.local)
    yield from _of_settings(before, now)


def _metrics(record: AuditRecord) -> str:
    return ", ".join(info.name for info in record.metrics)


def _of_prompts(before: AuditRecord, now: AuditRecord) -> Iterator[FactChange]:
    """Yield each prompt whose text is another one; of a private one that is unknown."""
    texts = {prompt.name: prompt for prompt in before.prompts}
    for prompt in now.prompts:
        then = texts.get(prompt.name)
        if then and then.text != prompt.text and not (then.private or prompt.private):
            yield FactChange(subject=Subject.PROMPT, name=prompt.name, before=then.text, now=prompt.text)


def _of_reference(before: AuditRecord, now: AuditRecord) -> Iterator[FactChange]:
    for prompt in now.prompts:
        then, today = _run(before, prompt.name, before.reference), _run(now, prompt.name, now.reference)
        if then and today and then.clip and today.clip and then.clip.digest != today.clip.digest:
            old, new = (clip.digest[:_SHOWN_OF_DIGEST] for clip in (then.clip, today.clip))
            yield FactChange(subject=Subject.REFERENCE, name=prompt.name, before=old, now=new)


def _of_table(subject: Subject, before: dict[str, str], now: dict[str, str]) -> Iterator[FactChange]:
    for name in dict.fromkeys([*now, *before]):
        if before.get(name) != now.get(name):
            yield FactChange(subject=subject, name=name, before=before.get(name), now=now.get(name))


def _of_settings(before: AuditRecord, now: AuditRecord) -> Iterator[FactChange]:
    """Yield each change of a setting once, with the runs that it holds for; unknown then and now is no change."""
    found: dict[str, tuple[FactChange, list[str]]] = {}
    hidden = _any_private(before) or _any_private(now)
    for run in now.runs:
        then = _run(before, run.prompt, run.name)
        if then is None or run.role not in {Role.REFERENCE, Role.BASELINE, Role.VARIANT}:
            continue
        if not (run.measured and then.measured):  # what was not generated has its declared settings alone
            continue
        for each in diff(recorded_settings(then.settings), recorded_settings(run.settings)):
            words = hidden and "prompt" in each.path
            old, new = _known(each.left, words=words), _known(each.right, words=words)
            if old != new:
                fact = FactChange(subject=Subject.SETTING, name=each.path, before=old, now=new)
                _, runs = found.setdefault(fact.model_dump_json(), (fact, []))
                runs += [run.name] * (run.name not in runs)
    yield from (fact.model_copy(update={"runs": runs}) for fact, runs in found.values())


def _known(setting: Setting | None, *, words: bool) -> object:
    """Return the value of a setting, None where it is unknown; with `words`, a value with text in it is private."""
    if setting is None or setting.origin is Origin.UNKNOWN:
        return None
    return _HIDDEN if words and any(texts_in(setting.value)) else setting.value
