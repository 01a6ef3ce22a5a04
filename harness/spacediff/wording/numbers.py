"""How numbers, durations, lists and values are written; the one place that formats them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from spacediff.record import MetricInfo, RankRecord

_LONG = 10.0
"""From so many seconds, or so many times a whole, on, small fractions do not matter."""


def number(v: float | None, info: MetricInfo | None = None, *, unit: bool = False, decimals: int | None = None) -> str:
    """Write a number: two decimals with a unit, four without.

    A value is never rounded onto 0 or 1 when it is not there: 0.00003 is `<0.0001`, 0.99997 is `>0.9999`.
    """
    if v is None or math.isnan(v):
        return "—"
    ending = f" {info.unit}" if unit and info and info.unit else ""  # a no-break space
    if math.isinf(v):
        return f"∞{ending}"
    places = decimals if decimals is not None else (2 if info and info.unit else 4)
    smallest = 10.0**-places
    if 0 < abs(v) < smallest / 2:
        text = f"<{smallest:.{places}f}" if v > 0 else f">−{smallest:.{places}f}"  # noqa: RUF001 - a minus sign
    elif not (info and info.unit) and 1 - smallest / 2 < v < 1:
        text = f">{1 - smallest:.{places}f}"
    else:
        text = f"{v:.{places}f}".replace("-", "−")  # noqa: RUF001 - a minus sign
    return text + ending


def drift(v: float | None) -> str:
    """Write a drift; a missing one is a dash, which the templates put into words."""
    return number(v, decimals=3)


def written_rank(rank: RankRecord | None) -> str:
    """Write a rank: `2`, `2=` where two share it, nothing for none."""
    return "" if rank is None else f"{rank.place}{'=' if rank.shared else ''}"


def plain(v: float) -> str:
    """Write a number that somebody gave, such as a limit or a frame rate, as short as it was."""
    return f"{v:g}"


def duration(seconds: float) -> str:
    """Write a duration: `41.0 s`, `3 min 32 s`, `2 h 5 min`."""
    if math.isinf(seconds):
        return "∞ s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def seconds(v: float) -> str:
    """Write a short duration so that it differs from nothing: `0.079 s`, `4.31 s`, and longer ones as durations."""
    if 0 < v < 0.0005:  # noqa: PLR2004 - would be written as nothing
        return "<0.001 s"
    return f"{v:.3f} s" if v < 1 else f"{v:.2f} s" if v < _LONG else duration(v)


def size(count: int) -> str:
    """Write a number of bytes: `531 MiB`, `21.4 GiB`."""
    gib = count / 2**30
    return f"{gib:.2f} GiB" if gib >= 1 else f"{count / 2**20:.0f} MiB"


def percent(v: float) -> str:
    """Write a share with three digits: `0.0123%`, `8.20%`, `142%`."""
    if v == 0:
        return "0%"
    return f"{100 * v:#.3g}".rstrip(".") + "%" if v < _LONG else f"{100 * v:.0f}%"


def round_percent(v: float) -> str:
    """Write a round share, as an axis has it: `10%`."""
    return f"{plain(100 * v)}%"


def counted(count: int, noun: str) -> str:
    """Write how many there are: `1 run`, `2 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(parts: Sequence[str]) -> str:
    """Join texts: `a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:  # noqa: PLR2004 - one is no list
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def number_word(count: int) -> str:
    """Write a small number as a word, as it stands in a sentence."""
    return _WORDS[count] if 0 <= count < len(_WORDS) else str(count)


def start(text: str) -> str:
    """Write a text as the start of a sentence, with a capital letter."""
    return text[:1].upper() + text[1:]


def pixels(size: Sequence[int]) -> str:
    """Write a size: `96x64`."""
    return "x".join(str(side) for side in size)


def moment(text: str) -> str:
    """Write an ISO 8601 moment for people; what is none stays as it is."""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M %Z").strip()
    except ValueError:
        return text


def value(v: Any) -> str:
    """Write a setting's value the way a scenario would: texts bare, None as Python's, the rest as JSON."""
    if v is None:
        return "None"
    return v if isinstance(v, str) and v.strip() == v and v else json.dumps(v, ensure_ascii=False, default=str)
