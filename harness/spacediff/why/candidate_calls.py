"""The calls of one source that may be the main one, each compared with the other source.

Which of them a user means is not for reading to guess. But where all of them differ from the other side in the same
way, it makes no difference which one is meant.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from spacediff.reading import Reading
from spacediff.reading.model import Call
from spacediff.why.compared import SCRIPT, ComparedSettings
from spacediff.why.headline import counted_differences

_MOST = 6
"""Calls of one source that are compared."""


@dataclass(frozen=True)
class ComparedCall:
    """One of several calls that may be the main one.

    Attributes:
        side: `the script` or `the Space`.
        call: The call.
        found: What differs from the other source if this call is meant.
    """

    side: str
    call: Call
    found: ComparedSettings

    @property
    def sentence(self) -> str:
        """The call and how many differences it has, as one line."""
        condition = f", only if {self.call.only_if}" if self.call.only_if else ""
        option = "--call" if self.side == SCRIPT else "--space-call"
        counted = counted_differences(self.found) or "no difference"
        return f"{self.side}: {self.call.pipeline} ({option} {shlex.quote(self.call.where)}{condition}): {counted}"


def candidates(reading: Reading, like: str = "") -> list[Call]:
    """Return the calls that may be the main one for the default inputs; none if there is only one.

    Args:
        reading: What was read.
        like: The wanted class of pipeline; if it is the main call's, calls of others are no candidates.
    """
    wanted = like == reading.settings.value("model.pipeline")
    found = [
        call
        for call in reading.calls
        if call.role == "main" or (_is_rival(call) and (not wanted or call.pipeline == like))
    ]
    return found[:_MOST] if len(found) > 1 else []


def _is_rival(call: Call) -> bool:
    return call.role == "alternative" and call.usual is not False


def compare_each(side: str, calls: Sequence[Call], compare: Callable[[str], ComparedSettings]) -> list[ComparedCall]:
    """Compare the other source with each of the calls of one.

    Args:
        side: `the script` or `the Space`.
        calls: The calls.
        compare: Returns what differs if the call at a place is meant.
    """
    return [ComparedCall(side, call, compare(call.where)) for call in calls]


def with_doubt(found: ComparedSettings, calls: Sequence[ComparedCall]) -> ComparedSettings:
    """Return what differs, as not decided if it depends on which call is meant."""
    left, right = (
        replace(side, undecided=(_doubt(side.name, calls),))
        if not side.undecided and len({_kinds_of(one.found) for one in calls if one.side == side.name}) > 1
        else side
        for side in found.sides
    )
    return replace(found, sides=(left, right))


def _doubt(side: str, calls: Sequence[ComparedCall]) -> str:
    own = [one.call for one in calls if one.side == side]
    conditions = dict.fromkeys(call.only_if for call in own if call.only_if)
    depends = f", depending on {' and '.join(conditions)}" if conditions else ""
    places = ", ".join(call.where for call in own)
    return f"any of {len(own)} calls may be the main one ({places}){depends}; choose with --call LINE"


def _kinds_of(found: ComparedSettings) -> frozenset[str]:
    rows = {f"{row.path} = {row.left.value!r}, {row.right.value!r}" for row in found.differences}
    return frozenset(rows | {f"{effect.kind}: {effect.agreement}" for effect in found.effects})
