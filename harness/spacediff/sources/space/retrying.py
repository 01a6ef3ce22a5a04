"""Asks again for what costs a Space and the Hub nothing: API pages, look-ups, and the download of a clip that exists.

A job is never sent a second time from here: it costs GPU time, whether or not its answer arrives.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import stamina

PASSING = frozenset({429, 502, 503, 504})
"""Statuses of HTTP that say that the same request may succeed later."""
ATTEMPTS = 4
_LONGEST_WAIT = 60.0
"""Seconds that a server may ask to wait; one that asks for more is believed, and not asked again."""
_JITTER = 0.5

_NO_API_PAGE = "Could not fetch api info"
"""How gradio_client words each refusal of the API page, whatever its status."""

_Found = TypeVar("_Found")


def retried(ask: Callable[[], _Found], attempts: int = ATTEMPTS) -> _Found:
    """Return what a request gives; a broken connection and a status that passes are met by asking again.

    The waits double from half a second, with jitter, unless the server names one (`Retry-After`).

    Args:
        ask: The request, which must change nothing on the server.
        attempts: How often it is made at most.
    """
    caller = stamina.RetryingCaller(
        attempts=attempts, timeout=None, wait_initial=0.5, wait_max=_LONGEST_WAIT, wait_jitter=_JITTER
    )
    return caller(_again, ask)


def _again(error: Exception) -> bool | float:
    """Whether to ask again, and after how many seconds if the server names them."""
    names = {kind.__name__ for kind in type(error).__mro__}  # of httpx, and of httpx2, which huggingface_hub 2 uses
    if "TransportError" in names:
        return "UnsupportedProtocol" not in names
    if _NO_API_PAGE in str(error):
        return True
    response = getattr(error, "response", None)
    if getattr(response, "status_code", 0) not in PASSING:
        return "TooManyRequestsError" in names
    wait = seconds_of(str(response.headers.get("retry-after", ""))) if response is not None else None
    return True if wait is None else wait if wait <= _LONGEST_WAIT else False


def seconds_of(retry_after: str) -> float | None:
    """Return the seconds from now that a `Retry-After` names, as a number or as a date; None for anything else."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the second: a year that no date has
        return None
    return max((at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
