"""Over time: how an audit compares with an earlier one."""

from __future__ import annotations

from spacediff.record import Change, HistoryRecord
from spacediff.wording.numbers import start

_ORDER = (Change.WORSE, Change.LOST, Change.OTHER, Change.BETTER, Change.GAINED, Change.NEW, Change.GONE)
_WORDS = {change: change.value for change in Change} | {Change.OTHER: "different, neither better nor worse"}


def history_text(history: HistoryRecord) -> str:
    """Say how the variants changed since an earlier audit, the worst first."""
    variants = history.variants
    several = len({each.prompt for each in variants}) > 1
    said = []
    for change in _ORDER:
        names = [f"{each.name} ({each.prompt})" if several else each.name for each in variants if each.change is change]
        said += [f"{start(_WORDS[change])}: {', '.join(names)}."] if names else []
    same = sum(each.change is Change.SAME for each in variants)
    if not said:
        return "Every variant is as before." if same else "There is nothing to compare."
    return " ".join([*said, *([f"{same} as before."] if same else [])])
