"""The first sentence of a comparison: what differs, how sure that is, and how much of each side was read.

"No difference" is only said together with what was not read, and never where a side's main call is unknown: a false
all-clear is worse than none.
"""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.why.compared import SPACE, ComparedSettings, SideRead

_MOST_NAMED = 4
"""Settings, or other things, that are named in one sentence."""


def headline(found: ComparedSettings) -> str:
    """Return what a comparison says as a whole, as one or two sentences."""
    kinds = f"{found.other_task} " if found.other_task else ""
    return f"{kinds}{_finding(found)} {_coverage(found.sides)}"


def _finding(found: ComparedSettings) -> str:
    reasons = [f"{side.name}: {_for_side(side, text)}" for side in found.sides for text in side.undecided]
    reasons += [
        f"no argument of the call could be compared, since none that {side.name} gives to its pipeline is known"
        for side in found.sides
        if side.call_is_unknown
    ]
    unsure = [effect.kind for effect in found.effects if not effect.certain]
    unsure += [row.path.removeprefix("call.") for row in found.unknown if row.is_of_one_side]
    unsure += [row.path.removeprefix("call.") for row in found.differences if row.unread and row.changes_the_clip]
    counted = counted_differences(found)
    if not found.comparable:
        return f"Nothing could be compared{_because(reasons)}."
    if not found.decided:
        so_far = f"{counted} among what was read, but the comparison is not decided" if counted else ""
        return f"{so_far or 'Nothing can be said yet'}{_because(reasons)}."
    if counted:
        agree = f"{_count(found.equal, 'setting')} {'agrees' if found.equal == 1 else 'agree'}"
        others = f" May differ too: {_named(unsure)}." if unsure else ""
        return f"{counted}; {agree}.{_not_counted(found)}{others}"
    defaults = f" ({found.by_default} of them by default)" if found.by_default else ""
    minor = sum(not row.changes_the_clip for row in found.differences)
    changing_nothing = f", and {_count(minor, 'difference')} that change{'s' * (minor == 1)} no clip" if minor else ""
    known = f"the {_count(found.equal, 'setting')} that are known on both sides{defaults}"
    if unsure:
        return f"No certain difference among {known}{changing_nothing}, but this may differ: {_named(unsure)}."
    return f"No difference among {known}{changing_nothing}."


def _not_counted(found: ComparedSettings) -> str:
    """Name the differences that are listed with the others and change no clip, as a sentence behind another one."""
    names = [row.path for row in found.differences if not row.changes_the_clip]
    verb = "differs" if len(names) == 1 else "differ"
    return f" Not counted, since no clip changes with it: {_named(names)} {verb}, too." if names else ""


def counted_differences(found: ComparedSettings) -> str:
    """Count what differs, and name what is no setting; empty if nothing differs that changes a clip."""
    rows = sum(row.changes_the_clip and not row.unread for row in found.differences)
    kinds = [effect.kind for effect in found.effects if effect.certain]
    if not kinds:
        return f"{_count(rows, 'setting')} {'differs' if rows == 1 else 'differ'}" if rows else ""
    if rows:
        return f"{_count(rows, 'setting')} and {_count(len(kinds), 'other thing')} ({_named(kinds)}) differ"
    verb = "differs" if len(kinds) == 1 else "differ"
    return f"{_count(len(kinds), 'thing')} besides the settings {verb} ({_named(kinds)})"


def _coverage(sides: Sequence[SideRead]) -> str:
    if not any(side.not_read for side in sides):
        first, second = (side.total for side in sides)
        return f"Read: all {first} settings of the script and all {second} of the Space, prompt and seed aside."
    each = ", ".join(
        f"{len(side.not_read)} of {side.total} in {side.name}{f' ({_named(side.not_read)})' if side.not_read else ''}"
        for side in sides
    )
    return f"Not read: {each}."


def _named(names: Sequence[str]) -> str:
    """Return some names in a row; of many, the first ones."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_MOST_NAMED])} and {more} more"


def _for_side(side: SideRead, text: str) -> str:
    """Return a reason as a clause, with the option that chooses a call of this side."""
    option = "--space-call" if side.name == SPACE else "--call"
    return text.rstrip(".").replace("--call LINE", f"{option} LINE")


def _because(reasons: Sequence[str]) -> str:
    return f": {'; '.join(reasons)}" if reasons else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
