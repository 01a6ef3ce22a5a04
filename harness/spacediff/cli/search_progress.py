"""Lines on the search for the cause: its expected cost, and its progress."""

from __future__ import annotations

from spacediff.progress import SearchProgress
from spacediff.wording.numbers import duration


def outlook(search: SearchProgress) -> str:
    """Describe the expected cost of a search."""
    without_effect = search.suspects - search.searched
    are = "is" if without_effect == 1 else "are"
    others = (
        f", {without_effect} more {are} assumed to make no difference, which the proof tests" if without_effect else ""
    )
    return (
        f"searching for the cause among {_counted(search.searched, 'suspect')}{others}: about "
        f"{_counted(search.expected, 'generation')} if the cause is one setting, "
        f"{duration(search.expected * search.seconds_each)} at most; the budget is {search.budget}"
    )


def probe_line(search: SearchProgress, changed: int, *, reproduced: bool | None) -> str:
    """Describe the outcome of a probe, and about how many there are."""
    shown = {
        True: f"reproduces {search.target}",
        False: f"does not reproduce {search.target}",
        None: "no output, so this probe shows nothing",
    }[reproduced]
    return (
        f"      search, {search.spent} of about {search.spent + search.expected}: with {changed} of "
        f"{_counted(search.suspects, 'setting')} changed: {shown}"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
