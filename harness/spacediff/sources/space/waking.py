"""The state of a Space on the Hub: one that sleeps or starts is woken and waited for, any other is reported."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

from spacediff.errors import SpaceBroken, SpaceNotFound, SpacePaused, SpaceSleeping, SpaceStarting, SpaceUnavailable
from spacediff.hub.space_errors import plain
from spacediff.progress import Progress
from spacediff.sources.space.answers import SILENCE_SECONDS, on_loopback
from spacediff.sources.space.retrying import ATTEMPTS, PASSING, retried

_FIRST_POLL, _LONGEST_POLL = 0.5, 5.0
_KNOCK_SECONDS = 30.0
_MARGIN_SECONDS = 0.5
"""Seconds before the deadline at which the state is reported in place of a passed deadline."""


def looked_up(space: str, progress: Progress, ends: float, *, patient: bool) -> Any:
    """Look up a Space on the Hub, and wait until it runs.

    Args:
        space: Its id.
        progress: Receives what is waited for.
        ends: When it must run, on the monotonic clock.
        patient: Whether to wake it and to wait for it, and to ask the Hub again if it does not answer.

    Returns:
        The answer of `HfApi.space_info`.

    Raises:
        SpaceUnavailable: The Space is not running; the class says in which state it is.
    """
    began, poll, woken = time.monotonic(), _FIRST_POLL, False
    while True:
        info = retried(lambda: _info(space, ends), ATTEMPTS if patient else 1)
        stage, detail = _stage_of(info)
        if stage not in _STAGES:
            return info
        waited = time.monotonic() - began
        if not (patient and stage in _PASSING) or time.monotonic() + poll > ends - _MARGIN_SECONDS:
            error, what, hint = _STAGES[stage]
            since = f" after {waited:.0f} s of waiting" if patient and stage in _PASSING else ""
            raise error(f"Space {space} {what}{since}" + (f": {detail}" if detail else ""), hint=hint)
        if stage == _ASLEEP and not woken:
            woken = True
            _wake(info)
        progress.on_status(f"the Space {_STAGES[stage][1]}; waiting for {waited:.0f} s")
        time.sleep(poll)
        poll = min(2 * poll, _LONGEST_POLL)


def is_starting(space: str, ends: float) -> bool:
    """Whether a Space sleeps or starts at this moment."""
    return _stage_of(_info(space, ends))[0] in _PASSING


def _stage_of(info: Any) -> tuple[str, str]:
    """Return the stage of a Space, and what the Hub says about it."""
    runtime: Mapping[str, Any] = info.runtime.raw if info.runtime else {}
    return str(runtime.get("stage")), plain(runtime.get("errorMessage") or "")


def _info(space: str, ends: float) -> Any:
    from huggingface_hub import HfApi

    return HfApi().space_info(space, timeout=min(SILENCE_SECONDS, max(ends - time.monotonic(), 0.1)))


def _wake(info: Any) -> None:
    """Ask for the app's page, which wakes it; what comes of it is seen on the Hub."""
    import httpx

    with contextlib.suppress(httpx.HTTPError):
        status_of(info.host, of_hub=True)


def status_of(address: str, *, of_hub: bool) -> int:
    """Return the status of HTTP that an address answers with; the answer itself is not read.

    Args:
        address: The address.
        of_hub: Whether it is the app of a Space of the Hub, which may receive the user's token.

    Raises:
        httpx.HTTPError: There is no answer, or one that says that a later one may be another.
    """
    import httpx
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # public, without `__all__`

    headers = build_hf_headers(token=None if of_hub else False)
    if token := headers.pop("authorization", None):
        headers["x-hf-authorization"] = token
    with httpx.stream(
        "GET", address, headers=headers, timeout=_KNOCK_SECONDS, trust_env=not on_loopback(address)
    ) as response:
        if response.status_code in PASSING:
            response.raise_for_status()
        return response.status_code


_DUPLICATE = "ask its owner to restart it, or duplicate it and use the copy's id"
_LATER = "run the same command again in some minutes, or set a longer deadline"
_ASLEEP = "SLEEPING"
_PASSING = frozenset({_ASLEEP, "BUILDING", "APP_STARTING"})
"""Stages that end by themselves, or by asking for the page."""

_STAGES: dict[str, tuple[type[SpaceUnavailable], str, str]] = {
    "PAUSED": (SpacePaused, "is paused by its owner", _DUPLICATE),
    "STOPPED": (SpacePaused, "is stopped", _DUPLICATE),
    _ASLEEP: (SpaceSleeping, "is asleep", "open its page once to wake it, then run the same command again"),
    "BUILDING": (SpaceStarting, "is still building", _LATER),
    "APP_STARTING": (SpaceStarting, "is still starting", _LATER),
    "BUILD_ERROR": (SpaceBroken, "could not be built", "its owner has to fix it; a duplicate may work"),
    "RUNTIME_ERROR": (SpaceBroken, "has crashed", "its owner has to restart it; a duplicate may work"),
    "CONFIG_ERROR": (SpaceBroken, "is misconfigured", "its owner has to fix it"),
    "NO_APP_FILE": (SpaceBroken, "has no app file", "check the id"),
    "DELETING": (SpaceNotFound, "is being deleted", "use another Space"),
}
"""Stages in which a Space is not running (huggingface_hub.SpaceStage): the error, its message, and its hint."""
