"""Sentences on whether runs fit on this machine."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record import FactKind
from spacediff.wording.numbers import listed, size
from spacediff.wording.vocabulary import says


@says(FactKind.MEMORY_SHORT)
def _memory_short(
    *,
    runs: Sequence[str],
    certain: bool,
    device: str,
    need: int,
    free: int,
    changes: Sequence[str],
    tested: Sequence[str],
) -> str:
    place = f"on {device}" if device else "in this machine's memory"
    if certain:
        found = f"cannot run here: the weights alone need {size(need)} {place}"
    else:
        outlook = "may run out of memory" if need > free else "will be tight"
        found = f"{outlook}: about {size(need)} needed {place}, {size(free)} free"
    if changes:
        advice = f"with {listed(changes)} in [baseline] it fits"
    elif tested:
        advice = f"what would lower the need is what it tests: {listed(tested)}"
    else:
        advice = "no other placement or tiling makes it fit"
    return f"{listed(runs)} {found}; {advice}"


@says(FactKind.MEMORY_UNKNOWN)
def _memory_unknown(*, runs: Sequence[str], model: str, reason: str) -> str:
    return f"the memory that {model} needs for {listed(runs)} is not estimated; the first run measures it ({reason})"


@says(FactKind.DISK_SHORT)
def _disk_short(*, clips: int, need: int, free: int) -> str:
    return f"the disk may fill up: up to {clips} clips take up to {size(need)}, and {size(free)} are free"
