"""Lines on the search for the cause: its expected cost, and its progress."""

from __future__ import annotations

from spacediff.progress import SearchProgress
from spacediff.wording.numbers import duration


def outlook(search: SearchProgress) -> str:
    """Describe the expected cost of a search."""
    without_effect = search.suspects - search.searched
    others = f", {without_effect} more cannot make a difference" if without_effect else ""
    return (
        f"searching the cause among {_counted(search.searched, 'suspect')}{others}: about "
        f"{_counted(search.expected, 'generation')} if it is one of them, "
        f"{duration(search.expected * search.seconds_each)} at most; the budget is {search.budget}"
    )


def probe_line(search: SearchProgress, changed: int, *, reproduced: bool | None) -> str:
    """Describe the outcome of a probe, and about how many there are."""
    shown = {True: "reproduces", False: "does not reproduce", None: "gave no clip, so nothing is known of"}[reproduced]
    return (
        f"      search, {search.spent} of about {search.spent + search.expected}: with {changed} of "
        f"{_counted(search.suspects, 'setting')} changed: {shown} {search.target}"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
