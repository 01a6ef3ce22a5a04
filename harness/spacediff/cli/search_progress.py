"""Lines on the search for the cause: its expected cost, and its progress."""

from __future__ import annotations

from spacediff.progress import SearchProgress
from spacediff.record import RunRecord
from spacediff.wording import written_cost
from spacediff.wording.numbers import duration, plain


def outlook(search: SearchProgress) -> str:
    """Describe the expected cost of a search."""
    return (
        f"searching for the cause among {_counted(search.suspects, 'suspect')}: about {_generations(search.expected)}, "
        f"{duration(search.expected * search.seconds_each)}, if it shows in the first steps; the budget is "
        f"{plain(search.budget)}"
    )


def probe_line(search: SearchProgress, run: RunRecord, changed: int, *, reproduced: bool | None) -> str:
    """Describe the outcome of a probe, what was spent so far, and about how much there is."""
    shown = {
        True: f"there is no visible difference from {search.target}",
        False: f"it differs visibly from {search.target}",
        None: "it is not known yet whether a difference is visible",
    }[reproduced]
    if run.failed:
        shown = "there is no output, so it shows nothing"
    elif run.stopped is not None and reproduced is False:
        shown = f"it is too far from {search.target} for the difference to stay unseen"
    counted = f"{changed} of {_counted(search.suspects, 'setting')} changed"
    return f"search, {_generations(search.spent)} so far: with {counted}, {shown}"


def _generations(count: float) -> str:
    written = written_cost(count)
    return f"{written} generation{'s' * (written != '1')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
