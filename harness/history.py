"""Over time: an audit held against an earlier one, as a pure function of the two records.

The key insight: a drift is on a scale that each audit measures anew, so two of them are comparable as far as a report
shows them; and a change of verdict means little without the facts that changed beside it, so both stand together.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.record import (
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
from harness.settings import Origin, Setting, diff

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


def history_of(before: AuditRecord, now: AuditRecord, against: str) -> HistoryRecord:
    """Hold an audit against an earlier one.

    Args:
        before: The earlier record, redacted.
        now: The record of today, redacted: else a path would differ from its own redaction.
        against: What the earlier audit is called.
    """
    variants = list(_variants(before, now))
    return HistoryRecord(
        against=against,
        created=before.created,
        variants=variants,
        facts=list(_facts(before, now)),
        sentence=_sentence(variants),
    )


def change_of(before: ComparisonRecord | None, now: ComparisonRecord | None) -> Change:
    """Return how a comparison stands to its earlier self; at least one of them is there."""
    if before is None:
        return Change.NEW
    if now is None:
        return Change.GONE
    blank = not before.verdict.told, not now.verdict.told
    if any(blank):
        return {(True, True): Change.SAME, (True, False): Change.GAINED, (False, True): Change.LOST}[blank]
    if before.verdict != now.verdict and (by_class := _by_class(before.verdict, now.verdict)):
        return by_class
    then, today = _rounded(before.drift), _rounded(now.drift)
    if then is not None and today is not None and then != today:
        return Change.WORSE if today > then else Change.BETTER
    return Change.SAME if before.verdict == now.verdict and (then is None) == (today is None) else Change.OTHER


def _by_class(before: Verdict, now: Verdict) -> Change | None:
    """Return what the two classes tell; None where both are one rung of the ladder."""
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
    ):
        if then != today:
            yield FactChange(subject=Subject.AUDIT, name=name, before=then, now=today)
    yield from _of_reference(before, now)
    yield from _of_table(Subject.HOST, before.environment.hosted, now.environment.hosted)
    yield from _of_table(Subject.MACHINE, before.environment.local, now.environment.local)
    yield from _of_settings(before, now)


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
    for run in now.runs:
        then = _run(before, run.prompt, run.name)
        if then is None or run.role not in {Role.REFERENCE, Role.BASELINE, Role.VARIANT}:
            continue
        if not (run.measured and then.measured):  # what was not generated has its declared settings alone
            continue
        for each in diff(recorded_settings(then.settings), recorded_settings(run.settings)):
            old, new = _told(each.left), _told(each.right)
            if old != new:
                fact = FactChange(subject=Subject.SETTING, name=each.path, before=old, now=new)
                _, runs = found.setdefault(fact.model_dump_json(), (fact, []))
                runs += [run.name] * (run.name not in runs)
    yield from (fact.model_copy(update={"runs": runs}) for fact, runs in found.values())


def _told(setting: Setting | None) -> object:
    return None if setting is None or setting.origin is Origin.UNKNOWN else setting.value


def _sentence(variants: list[VariantHistory]) -> str:
    """Say what came out, the worst first."""
    order = (Change.WORSE, Change.LOST, Change.OTHER, Change.BETTER, Change.GAINED, Change.NEW, Change.GONE)
    several = len({each.prompt for each in variants}) > 1
    parts = []
    for change in order:
        names = [f"{each.name} ({each.prompt})" if several else each.name for each in variants if each.change is change]
        if names:
            parts.append(f"{_WORDS[change]}: {', '.join(names)}")
    same = sum(each.change is Change.SAME for each in variants)
    if not parts:
        return "nothing to hold against each other" if not same else "every variant stands where it stood"
    return "; ".join([*parts, *([f"{same} as before"] if same else [])])


_WORDS = {change: change.value for change in Change} | {Change.OTHER: "changed, neither better nor worse"}
