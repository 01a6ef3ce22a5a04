"""Which call is made next, from what the earlier ones gave: a pure function.

The key insight is that a difference shows nothing while a call does not repeat itself, so that is found out first; and
that equal frames show that an input has no effect in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spacediff.checking.asked import Asked
from spacediff.checking.result import Call, Purpose, Question
from spacediff.errors import (
    DeadlineExceeded,
    QuotaExceeded,
    SpaceBusy,
    SpaceNeedsLogin,
    SpaceUnreachable,
    WorkerDied,
)
from spacediff.sources.space.request import sends_seed

_ENDING = frozenset(
    each.code for each in (DeadlineExceeded, QuotaExceeded, SpaceBusy, SpaceNeedsLogin, SpaceUnreachable, WorkerDied)
)
"""Failures after which another call would fail too, or cost another deadline."""
_SHORT = 2.0
"""Seconds of work below which nothing follows from how quick a call was."""
_QUICKER = 4.0
"""How many times quicker than every other call a repeated one is that may come from a cache of the app."""


@dataclass(frozen=True)
class Probe:
    """A call that is to be made.

    Attributes:
        purpose: What for.
        question: The question for which an input is changed; None where none is.
        changed: The input that is changed; empty where none is.
        before: Its value in the first call.
        value: Its value in this call.
    """

    purpose: Purpose
    question: Question | None = None
    changed: str = ""
    before: Any = None
    value: Any = None


def next_probe(asked: Asked, calls: Sequence[Call], most: int) -> Probe | None:
    """Return the call that is made next; None where nothing more can be found out, or the budget is spent.

    Args:
        asked: What the Space is asked.
        calls: The calls that were made.
        most: The budget of calls.
    """
    if not calls:
        return Probe(Purpose.FIRST)
    if len(calls) >= most or not calls[0].measured or any(call.code in _ENDING for call in calls):
        return None
    made = {(call.purpose, call.changed) for call in calls}
    return next((probe for probe in _wanted(asked, calls) if (probe.purpose, probe.changed) not in made), None)


def _wanted(asked: Asked, calls: Sequence[Call]) -> list[Probe]:
    again = of(calls, Purpose.AGAIN)
    if again is None:
        return [Probe(Purpose.AGAIN)]
    if repeats(calls) is False:
        return []
    found = [Probe(Purpose.PAST_CACHE)] if again.cached and asked.prompt.text else []
    if sends_seed(asked.request):
        before = asked.prompt.seed
        found.append(Probe(Purpose.SEED, Question.SEED, before=before, value=before + 1))
    found += [Probe(Purpose.INPUT, each.question, each.name, each.before, each.value) for each in asked.knobs]
    return found


def of(calls: Sequence[Call], purpose: Purpose) -> Call | None:
    """Return the call that was made for a purpose; None if there is none."""
    return next((call for call in calls if call.purpose is purpose), None)


def repeats(calls: Sequence[Call]) -> bool | None:
    """Whether a call repeats itself; None where that is not known.

    Equal frames from a cache show nothing, and neither do those that came much quicker than any other.
    """
    first, again, past = (of(calls, each) for each in (Purpose.FIRST, Purpose.AGAIN, Purpose.PAST_CACHE))
    if first is None or again is None or not (first.measured and again.measured):
        return None
    if again.frames != first.frames:
        return False
    if again.cached:
        known = past is not None and past.measured and not past.cached and past.frames == first.frames
        return True if known else None
    return None if too_quick(calls) else True


def too_quick(calls: Sequence[Call]) -> bool:
    """Whether the repeated call was so much quicker than every one with other inputs that a cache may have answered."""
    again = of(calls, Purpose.AGAIN)
    others = [call.work_seconds for call in calls if call.changed or call.purpose is Purpose.SEED]
    known = [each for each in others if each is not None]
    if again is None or again.work_seconds is None or not known:
        return False
    return min(known) >= _SHORT and again.work_seconds * _QUICKER < min(known)
