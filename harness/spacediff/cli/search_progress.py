"""What the terminal says of a search: what it will take, and how far it is."""

from __future__ import annotations

from spacediff.explaining.explain import Explaining
from spacediff.explaining.search import Subset
from spacediff.reporting.numbers import duration


def outlook(going: Explaining) -> str:
    """Say what a search will take, before it begins."""
    count = going.more
    innocent = f", {len(going.innocent)} more are innocent at once" if going.innocent else ""
    return (
        f"searching the cause among {_counted(len(going.names), 'suspect')}{innocent}: about "
        f"{_counted(count, 'generation')} if it is one of them, {duration(count * going.seconds_each)} at most; "
        f"the budget is {going.budget.most}"
    )


def probe_line(going: Explaining, changed: Subset, *, reached: bool | None) -> str:
    """Say what a probe has shown, and about how many there will be."""
    shown = {True: "the clip of", False: "not the clip of", None: "no clip, so nothing is told of"}[reached]
    spent = going.budget.spent
    return (
        f"      search, {spent} of about {spent + going.more}: {len(changed)} of "
        f"{_counted(len(going.suspects), 'setting')} changed: {shown} {going.right.name}"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
