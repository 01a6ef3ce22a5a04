"""Ask the Hub through a process of its own: no answer outlives its deadline, or fills the memory or the disk."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from spacediff.errors import HubUnavailable, NotMeasuredError, error_from_record
from spacediff.hub.partners import Partner
from spacediff.hub.space_errors import plain

_MODULE = "spacediff.hub.conversation"
_SECONDS = 40.0
"""Seconds that one look-up may take, whatever the Hub sends."""
_ENDS: ContextVar[float] = ContextVar("ends", default=math.inf)
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class SpaceOnHub:
    """A Space, as the Hub describes it.

    Attributes:
        id: Its current name.
        commit: Its newest commit; empty if that is unknown.
        app_file: The file that starts the app.
        files: The names of all its files.
        facts: What else is known, name to text.
    """

    id: str
    commit: str
    app_file: str
    files: frozenset[str]
    facts: Mapping[str, str]


@dataclass(frozen=True)
class ModelOnHub:
    """A model: its current name, and its newest commit, which is empty if it is unknown."""

    id: str
    commit: str


@dataclass(frozen=True)
class ZeroGpuQuota:
    """The quota of ZeroGPU of the user whose token is used.

    Attributes:
        left: Seconds of a GPU that are left.
        of: Seconds of a whole quota.
        resets_at: When it is renewed, ISO 8601; empty if the Hub does not say.
    """

    left: float
    of: float
    resets_at: str

    def calls(self, seconds: float | None) -> int | None:
        """Return how many calls that ask for so many seconds the quota suffices for; None where that is unknown."""
        return int(self.left // seconds) if seconds else None


def reach_hub() -> str:
    """Return the address at which the Hub answers, whatever it says.

    Raises:
        NotMeasuredError: It does not answer.
    """
    return _valid(str, _asked("reached"))


@contextmanager
def until(ends: float) -> Iterator[None]:
    """Let no look-up in the block take longer than to a moment.

    Args:
        ends: The moment, on the monotonic clock.
    """
    before = _ENDS.set(ends)
    try:
        yield
    finally:
        _ENDS.reset(before)


def zero_gpu_quota() -> ZeroGpuQuota | None:
    """Look up how much of the user's quota of ZeroGPU is left; None without a token, and where the Hub does not say."""
    try:
        found = _asked("quota")
    except NotMeasuredError:
        return None
    match found:
        case {"base": int() | float() as base, "current": int() | float() as current, "resetsAt": resets_at}:
            known = all(type(each) is not bool and math.isfinite(each) and each >= 0 for each in (base, current))
            return ZeroGpuQuota(float(current), float(base), plain(resets_at or "", 40)) if known else None
    return None


def space_on_hub(space: str) -> SpaceOnHub:
    """Look up a Space.

    Raises:
        NotMeasuredError: The Hub does not give it.
    """
    return _valid(SpaceOnHub, _asked("space", space=space))


def model_on_hub(model: str, revision: str | None) -> ModelOnHub:
    """Look up a model.

    Raises:
        NotMeasuredError: The Hub does not give it.
    """
    return _valid(ModelOnHub, _asked("model", model=model, revision=revision))


def files_of_model(model: str, revision: str | None) -> tuple[str, ...]:
    """List the files of a model.

    Raises:
        NotMeasuredError: The Hub does not give them.
    """
    return _valid(tuple[str, ...], _asked("files", model=model, revision=revision))


def small_file(repository: str, path: str, *, kind: str, revision: str | None, most_bytes: int) -> bytes | None:
    """Return a file of a repository; None if it is missing, too large, or refused. See `hub.files.small_file`."""
    try:
        found = _asked("file", repository=repository, path=path, kind=kind, revision=revision, most_bytes=most_bytes)
    except NotMeasuredError:
        return None
    return base64.b64decode(found) if isinstance(found, str) else None


def _asked(what: str, **of: Any) -> Any:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:  # nothing is sent, so no process is needed
        from spacediff.hub.conversation import look_up

        return look_up(what, of)
    began = time.monotonic()
    ends = min(began + _SECONDS, _ENDS.get())
    hub = _hub(max(ends - began, 0.0))
    match hub.answer({"what": what, "of": of}, ends):
        case {"kind": "failed", "code": str(code), "message": str(message), "hint": str(hint)}:
            raise error_from_record(code, message, hint)
        case {"kind": "answered", "found": found}:
            return found
    raise hub.misunderstood()


def _valid(kind: type[_Kind], found: Any) -> _Kind:
    """Return what was found as data of a kind; nothing of the Hub's answer is taken on trust."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(found)
    except ValidationError as error:
        raise _hub(_SECONDS).misunderstood() from error


def _hub(seconds: float) -> Partner:
    def overdue(last: str) -> HubUnavailable:
        said = f"the Hub gave no complete answer within {seconds:.0f} s{last}"
        return HubUnavailable(said, hint="check the network; try again later")

    return Partner(
        _MODULE,
        "the Hub",
        overdue,
        overgrown=HubUnavailable,
        ended=HubUnavailable,
        look_at="check HF_ENDPOINT, and the proxies between this machine and the Hub",
    )
