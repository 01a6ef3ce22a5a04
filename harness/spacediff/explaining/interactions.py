"""Interactions: members of a cause that do not act each by itself, such as noise that masks all the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from spacediff.explaining.search import Subset, interaction_indices
from spacediff.record import Fact, FactKind, Verdict, fact

_WRITTEN_AS_NOTHING = 0.0005
"""Reports show three decimals of a drift."""


def interactions_of(
    drift: Callable[[Subset], float | None],
    verdict: Callable[[Subset], Verdict | None],
    cause: Sequence[str],
    codec: float,
) -> list[Fact]:
    """Return which members mask the others, and which pairs do more or less together than each by itself.

    A member masks the others if without it they do nothing that is seen, and reduce the drift by less than is missing.
    What is no larger than the codec's own loss, or would be written as 0.000, is left out.

    Args:
        drift: The drift with a subset of the members changed; None where it was not measured.
        verdict: How the clip then compares with the reference.
        cause: The members; nothing follows from one alone, nor from more than have exact values.
        codec: The drift of what encoding alone does.
    """
    indices = interaction_indices(drift, cause)
    if not indices:
        return []
    whole = frozenset(cause)
    total, least = _reduction(drift, whole), max(codec, _WRITTEN_AS_NOTHING)
    if total <= least:
        return []
    reductions = {member: _reduction(drift, whole - {member}) for member in cause}
    masking = [
        member
        for member in cause
        if reductions[member] < total - reductions[member]
        and (reductions[member] <= codec or verdict(whole - {member}) is Verdict.DIFFERENT_SAMPLE)
    ]
    pairs = [
        fact(FactKind.PAIR_INTERACTS, members=[*pair], index=index)
        for pair, index in indices.items()
        if abs(index) > least and not {*pair} & {*masking}
    ]
    return [*_masking(masking, reductions, total), *pairs]


def _reduction(drift: Callable[[Subset], float | None], subset: Subset) -> float:
    """Return by how much a subset reduces the drift; all of these were measured."""
    return (drift(frozenset()) or 0.0) - (drift(subset) or 0.0)


def _masking(masking: Sequence[str], reductions: Mapping[str, float], total: float) -> list[Fact]:
    """Return the members without which the others do little; where each is one of them, that is one fact."""
    if len(masking) == len(reductions):
        most = max(reductions.values())
        return [fact(FactKind.ONLY_TOGETHER, members=[*masking], reduction=most, total=total)]
    return [fact(FactKind.MASKS_OTHERS, member=member, reduction=reductions[member], total=total) for member in masking]
