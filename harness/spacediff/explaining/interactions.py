"""Interplay: members of a cause that do not act each for itself, such as noise that hides all the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spacediff.explaining.search import Subset, interaction_indices
from spacediff.record import InteractionRecord, Verdict


def interactions_of(
    drift: Callable[[Subset], float | None],
    verdict: Callable[[Subset], Verdict | None],
    cause: Sequence[str],
    codec: float,
) -> list[InteractionRecord]:
    """Tell which members hide others, and which pairs do more or less together than each by itself.

    What is no more than the codec does is not told.

    Args:
        drift: The drift with a subset of the members changed; None where it was not measured.
        verdict: How the clip then stands to the reference.
        cause: The members; nothing is told of one alone, and of more than have exact values.
        codec: The drift of what encoding alone does.
    """
    indices = interaction_indices(drift, cause)
    if not indices:
        return []
    whole = frozenset(cause)
    taken = {member: _taken(drift, whole - {member}) for member in cause}
    hiding = [
        member for member in cause if taken[member] <= codec or verdict(whole - {member}) is Verdict.DIFFERENT_SAMPLE
    ]
    total = _taken(drift, whole)
    found = _hidden(cause, hiding, taken, total)
    for pair, index in indices.items():
        if abs(index) > codec and not {*pair} & {*hiding}:
            found.append(InteractionRecord(members=[*pair], index=index, sentence=_told(pair, index)))
    return found


def _taken(drift: Callable[[Subset], float | None], subset: Subset) -> float:
    """Return what a subset takes off the drift; all of these were measured."""
    return (drift(frozenset()) or 0.0) - (drift(subset) or 0.0)


def _hidden(
    cause: Sequence[str], hiding: Sequence[str], taken: dict[str, float], total: float
) -> list[InteractionRecord]:
    if len(hiding) == len(cause):
        most = max(taken.values())
        sentence = f"only together: with any one left out, the others take off {_off(most)} at most, of {total:.3f}"
        return [InteractionRecord(members=[*cause], sentence=sentence)]
    return [
        InteractionRecord(
            members=[member, *(other for other in cause if other != member)],
            sentence=f"{member} hides the rest: without it the others take off {_off(taken[member])} of {total:.3f}",
        )
        for member in hiding
    ]


def _off(value: float) -> str:
    return f"{value:.3f}" if value >= 0.0005 else "nothing"  # noqa: PLR2004 - would be written as nothing


def _told(pair: tuple[str, str], index: float) -> str:
    how = "more" if index > 0 else "less"
    return f"{pair[0]} and {pair[1]} take off {abs(index):.3f} {how} together than each by itself"
