"""What a gate makes of two groups of clips: no finding is not a pass.

The key insight: that no difference was found says as much about the number of clips as about the clips. So a gate
passes only where every measure of single clips is shown to be within its limit, by the interval of its effect
(Schuirmann 1987, doi:10.1007/BF01068419), no other measure differs though these groups could have shown it, and nothing
was noted: clips that are missing, equal or of different kinds are a difference that no measure sees.
"""

from __future__ import annotations

from spacediff.record import Fact, FactKind, GateStatus, SamplesRecord, fact


def of_groups(prompt: str, groups: SamplesRecord | None, limit: float) -> tuple[GateStatus, Fact]:
    """Return what follows from the groups of a prompt.

    Args:
        prompt: Name of the prompt.
        groups: The groups of the gate's variant; None where it has none.
        limit: Largest Cliff's delta.
    """
    if groups is None or not groups.measured:
        why = groups.notes if groups else []
        return GateStatus.NOT_MEASURED, fact(FactKind.GATE_GROUPS_NOT_COMPARED, *why, prompt=prompt)
    if groups.findings:
        names = [each.info.title for each in groups.findings]
        return GateStatus.FAILED, fact(FactKind.GATE_GROUPS_DIFFER, prompt=prompt, measures=names)
    if groups.notes:
        return GateStatus.NOT_MEASURED, fact(FactKind.GATE_GROUPS_IN_DOUBT, *groups.notes, prompt=prompt)
    if not groups.able:
        few = fact(FactKind.GATE_GROUPS_TOO_SMALL, prompt=prompt, tests=groups.tests, fewest=groups.fewest)
        return GateStatus.NOT_MEASURED, few
    return _within(prompt, groups, limit)


def _within(prompt: str, groups: SamplesRecord, limit: float) -> tuple[GateStatus, Fact]:
    ends = [(max(map(abs, each.interval)), each) for each in groups.measures if each.interval is not None]
    if not ends:
        return GateStatus.NOT_MEASURED, fact(FactKind.GATE_GROUPS_NOT_COMPARED, *groups.notes, prompt=prompt)
    largest, widest = max(ends, key=lambda each: each[0])
    if largest <= limit:
        return GateStatus.PASSED, fact(FactKind.GATE_GROUPS_WITHIN, prompt=prompt, largest=largest, limit=limit)
    low, high = widest.interval or (-1.0, 1.0)
    numbers = [each.clips_to_exclude for end, each in ends if end > limit]
    known = [number for number in numbers if number is not None]
    unknown = fact(
        FactKind.GATE_GROUPS_UNKNOWN,
        prompt=prompt,
        measure=widest.info.title,
        low=low,
        high=high,
        limit=limit,
        clips=max(known) if len(known) == len(numbers) else None,
    )
    return GateStatus.NOT_MEASURED, unknown
