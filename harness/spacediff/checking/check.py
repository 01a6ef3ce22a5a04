"""The check of a Space: read what it says of itself, make the calls within the budget, and answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from spacediff.checking.answers import Known, answers_of
from spacediff.checking.asked import Asked, knobs_of, request_to
from spacediff.checking.calling import make_call
from spacediff.checking.probes import Probe, next_probe
from spacediff.checking.result import Call, SpaceCheck
from spacediff.errors import SpacediffError
from spacediff.hub.asking import ZeroGpuQuota, until, zero_gpu_quota
from spacediff.hub.ids import is_repository_id
from spacediff.hub.space_errors import plain
from spacediff.interrupts import clear, until_interrupted
from spacediff.progress import Progress
from spacediff.reading.hub import read_space
from spacediff.reading.model import Reading
from spacediff.run import Prompt
from spacediff.sources.hosted import TINY_SPACES
from spacediff.sources.space import SpaceRequest
from spacediff.sources.space.asking import listed, look
from spacediff.tiny.serving import TinySpace

PROMPT = Prompt("check", "A yellow lemon on a wooden table", 42)
"""What a Space is asked for where no scenario says it."""
_CONNECTING = 600.0
"""Seconds in which a Space must be awake and describe itself, unless its deadline is shorter."""
_QUOTA_SECONDS = 10.0
"""Seconds in which the Hub may say what is left of the quota after the last call."""
_HIDDEN = "[private]"


class CheckListener(Progress, Protocol):
    """What a check reports."""

    def on_call_started(self, number: int, most: int, probe: Probe) -> None:
        """Called before a call; numbers begin at 1."""

    def on_call_finished(self, number: int, call: Call) -> None:
        """Called after a call."""


class SilentCheck:
    """A `CheckListener` that ignores everything."""

    def on_status(self, text: str) -> None:
        """Ignore it."""

    def on_step(self, done: int, total: int) -> None:
        """Ignore it."""

    def on_call_started(self, number: int, most: int, probe: Probe) -> None:
        """Ignore it."""

    def on_call_finished(self, number: int, call: Call) -> None:
        """Ignore it."""


@dataclass(frozen=True)
class Target:
    """The Space under test.

    Attributes:
        space: Its id, the address of an app, or a built-in one.
        endpoint: Its endpoint; empty for the only one that can be meant.
        request: How a scenario asks it; None without a scenario.
        prompt: What it is asked for.
        deadline: Seconds in which the Space must describe itself, and then for each call; None for that of the
            scenario, or the usual one.
    """

    space: str
    endpoint: str = ""
    request: SpaceRequest | None = None
    prompt: Prompt = PROMPT
    deadline: float | None = None

    @property
    def connecting(self) -> float:
        """Seconds in which the Space must describe itself."""
        known = self.deadline or (self.request.deadline if self.request else None)
        return min(_CONNECTING, known or _CONNECTING)


def check(target: Target, most_calls: int, listener: CheckListener) -> SpaceCheck:
    """Check a Space. An interruption ends it early: the result holds what was found.

    Args:
        target: The Space.
        most_calls: How many calls may be made.
        listener: Receives the progress.

    Raises:
        NotMeasuredError: The Space or the Hub does not answer, or the endpoint is not found.
    """
    with _address(target.space, listener) as address:
        return _checked(target, address, most_calls, listener)


@contextmanager
def _address(space: str, listener: CheckListener) -> Iterator[str]:
    """Yield the address of a Space; a built-in one runs within the block."""
    if space not in TINY_SPACES:
        yield space
        return
    listener.on_status("starting the tiny Space")
    with TinySpace(checkpoint=TINY_SPACES[space]) as tiny:
        yield tiny.url


def _checked(target: Target, address: str, most_calls: int, listener: CheckListener) -> SpaceCheck:
    listener.on_status(f"connecting to {plain(target.space)}")
    ends = time.monotonic() + target.connecting
    found = listed(address, target.connecting, listener)
    given = None if target.request is None else replace(target.request, id=address)
    if given is not None:
        look(given, ends)
    with until(ends):
        reading, unreadable = _read(address, listener)
        hardware = found.hosted.get("hardware", "")
        known = Known(reading, found.hosted.get("gradio", ""), hardware, _quota(hardware))
    request = given or request_to(address, found.endpoints, reading, target.endpoint)
    request = replace(request, deadline=target.deadline or request.deadline)
    api = found.endpoints[request.endpoint]
    asked = Asked(request, target.prompt, api, knobs_of(request, api, reading))
    calls, interrupted = until_interrupted(_calls(asked, most_calls, listener))
    if interrupted:
        clear()
    else:
        with until(time.monotonic() + _QUOTA_SECONDS):
            known = replace(known, quota_after=_quota(hardware))
    return SpaceCheck(
        space=target.space,
        endpoint=request.endpoint,
        inputs=_shown(request, target.prompt),
        schema=api.schema_digest,
        hosted=found.hosted,
        most_calls=most_calls,
        calls=calls,
        answers=answers_of(asked, calls, known),
        finished=not interrupted,
        unreadable=unreadable,
    )


def _calls(asked: Asked, most: int, listener: CheckListener) -> Iterator[Call]:
    made: list[Call] = []
    while probe := next_probe(asked, made, most):
        listener.on_call_started(len(made) + 1, most, probe)
        call = make_call(asked, probe, listener)
        listener.on_call_finished(len(made) + 1, call)
        made.append(call)
        yield call


def _read(space: str, listener: CheckListener) -> tuple[Reading | None, str]:
    """Read the Space's source; where that fails, return why."""
    if not is_repository_id(space):
        return None, ""
    listener.on_status("reading its source")
    try:
        return read_space(space), ""
    except SpacediffError as error:
        return None, error.message


def _quota(hardware: str) -> ZeroGpuQuota | None:
    return zero_gpu_quota() if "zero" in hardware else None


def _shown(request: SpaceRequest, prompt: Prompt) -> dict[str, object]:
    """Return the inputs that were sent; of a private prompt no text but a placeholder."""
    placeholders = {"{prompt}", "{seed}"}
    return {
        plain(name, 100): _HIDDEN if prompt.private and isinstance(value, str) and value not in placeholders else value
        for name, value in request.inputs.items()
    }
