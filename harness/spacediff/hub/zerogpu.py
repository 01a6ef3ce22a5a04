"""What ZeroGPU says when it gives no GPU: its texts, each with its code and the wait that it names.

Source of the texts: `spaces/zero/client.py` and `spaces/zero/wrappers.py` of the package `spaces` 0.51.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from spacediff.errors import GpuAborted, GpuDurationTooLong, GpuUnavailable, QuotaExceeded, SpaceUnavailable

_WAIT = re.compile(r"(?:try again|retry) (?:in|after) (?:(\d{1,3}) days?, )?(\d{1,2}):(\d\d):(\d\d)", re.IGNORECASE)
"""As Python writes a timedelta."""
_SIGN_IN = "set HF_TOKEN to a token of huggingface.co/settings/tokens, or wait until the quota is renewed"


@dataclass(frozen=True)
class Refusal:
    """What a text of ZeroGPU means.

    Attributes:
        error: The error of spacediff.
        what: The message, after the name of the Space and before the text.
        hint: What to do.
    """

    error: type[SpaceUnavailable]
    what: str
    hint: str


_REFUSALS = (
    (
        r"larger than the maximum",
        Refusal(
            GpuDurationTooLong,
            "asks ZeroGPU for more time than one call may have",
            "ask for less, such as fewer steps or frames, or duplicate the Space with a GPU of its own",
        ),
    ),
    (
        r"no gpu (?:was|is currently) available",
        Refusal(GpuUnavailable, "got no GPU of ZeroGPU in time", "run the same command again; this call cost no quota"),
    ),
    (
        r"gpu task aborted",
        Refusal(
            GpuAborted,
            "lost its GPU before it was finished: ZeroGPU ended the task",
            "its function asks for too few seconds (@spaces.GPU(duration=...)); ask for fewer steps or frames",
        ),
    ),
    (
        r"\bquota\b|reached its gpu limit|zerogpu runs limit|too many zerogpu credits",
        Refusal(QuotaExceeded, "refused, because a GPU quota is used up", _SIGN_IN),
    ),
)


def refusal_of(text: str) -> Refusal | None:
    """Return what a text of an app means if it is one of ZeroGPU; otherwise None."""
    return next((each for pattern, each in _REFUSALS if re.search(pattern, text, re.IGNORECASE)), None)


def wait_of(text: str) -> float | None:
    """Return the wait that a text names, in seconds, such as `Try again in 1 day, 2:03:04`; None if it names none."""
    found = _WAIT.search(text)
    if not found:
        return None
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return float(86_400 * days + 3600 * hours + 60 * minutes + seconds)
