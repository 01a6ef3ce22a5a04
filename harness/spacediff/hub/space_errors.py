"""Errors of the Hub and of Spaces: each becomes one of ours, with a clean sentence and a hint.

Nothing that they say is passed on as it came: texts are bounded, stripped of markup and redacted.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from spacediff.errors import (
    CheckpointUnavailable,
    HubUnavailable,
    NotMeasuredError,
    QuotaExceeded,
    SpaceApiMismatch,
    SpaceBusy,
    SpaceFailed,
    SpaceNeedsLogin,
    SpaceNotFound,
    SpaceUnavailable,
    SpaceUnreachable,
)
from spacediff.privacy.short_lines import one_line, shortened

MAX_TEXT = 500
"""Characters of an untrusted text that are shown."""


def plain(text: Any, limit: int = MAX_TEXT) -> str:
    """Turn an untrusted text into one short printable line, without markup and secrets."""
    line = re.sub(r"</?[A-Za-z][^<>]*>", " ", str(text))
    if token := _own_token(os.environ.get("HF_TOKEN", "")):
        line = line.replace(token, "[redacted]")
    return shortened(" ".join(one_line(line).split()), limit)


@lru_cache(maxsize=1)
def _own_token(_environment: str) -> str:
    """Return the user's token, from the environment or the login; read again after HF_TOKEN has changed."""
    from huggingface_hub import get_token

    try:
        return get_token() or ""
    except Exception:  # noqa: BLE001 - a token that cannot be read is not sent either, so it need not be hidden
        return ""


@contextlib.contextmanager
def explained(name: str, kind: str = "Space") -> Iterator[None]:
    """Turn any error of a Space, the Hub or their clients into an error of spacediff, with a clean reason and a hint.

    Args:
        name: The repository, or the address of an app.
        kind: `Space` or `checkpoint`, for the message.

    Raises:
        NotMeasuredError: The block failed; the class says why.
    """
    try:
        yield
    except NotMeasuredError as error:
        raise type(error)(plain(error.message), hint=plain(error.hint, 4 * MAX_TEXT)) from error
    except Exception as error:
        reason, text = _reason_of(error)
        what = reason.what.replace("{text}", text)
        ours = CheckpointUnavailable if kind == "checkpoint" else reason.error
        raise ours(f"{kind} {plain(name)} {what}", hint=reason.hint) from error


@dataclass(frozen=True)
class _Reason:
    """What a library's error means.

    Attributes:
        name: Name of the library's class.
        error: The error of spacediff.
        what: The message, after the name of the Space; `{text}` is replaced by the library's message.
        hint: What to do.
    """

    name: str
    error: type[NotMeasuredError]
    what: str
    hint: str


def _reason_of(error: Exception) -> tuple[_Reason, str]:
    """Return the meaning of an error, and its cleaned text."""
    text = plain(getattr(error, "strerror", None) or str(error) or type(error).__name__)
    # By name, because gradio_client raises errors of httpx, and huggingface_hub 2 those of httpx2.
    names = {kind.__name__ for kind in type(error).__mro__}
    if "AppError" in names and re.search(r"\bquota\b", text, re.IGNORECASE):
        names = {"quota"}
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if "HfHubHTTPError" in names and status in _NOT_SHOWN and "credentials" not in text:
        names = {"RepositoryNotFoundError"}  # huggingface_hub raises it only for an https endpoint
    if "unexpected_error" in text or "Server stopped" in text:
        names = {"CancelledError"}
    reason = next((each for each in _REASONS if each.name in names), _NOT_UNDERSTOOD)
    if issubclass(reason.error, SpaceUnreachable) and _asked_the_hub(error):
        reason = replace(reason, error=HubUnavailable)
    return reason, text


def _asked_the_hub(error: Exception) -> bool:
    """Whether the failed request was sent to the Hub, not to the Space."""
    from huggingface_hub import constants

    try:
        address: str = str(error.request.url)  # type: ignore[attr-defined]  # only errors of httpx have it
    except (AttributeError, RuntimeError):  # httpx raises RuntimeError for an error without a request
        return False
    return urlsplit(address).netloc == urlsplit(constants.ENDPOINT).netloc


_NOT_SHOWN = (401, 404)
_AGAIN = "run the same command again"
_CHECK = "check the network, and whether the Space runs"

_REASONS = (
    _Reason(
        "HFValidationError",
        SpaceNotFound,
        "cannot exist, its id is not ORG/NAME",
        "write ORG/NAME, or the address of a Gradio app",
    ),
    _Reason(
        "RepositoryNotFoundError",
        SpaceNotFound,
        "is not on the Hub, or it is private",
        "check the id; if it is private, set HF_TOKEN",
    ),
    _Reason("OfflineModeIsEnabled", HubUnavailable, "cannot be asked: HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE"),
    _Reason(
        "HfHubHTTPError",
        HubUnavailable,
        "could not be looked up on the Hub: {text}",
        "try again later; check HF_TOKEN if it is set",
    ),
    _Reason(
        "AuthenticationError",
        SpaceNeedsLogin,
        "asks for a login: {text}",
        "only Spaces without a login of their own can be audited",
    ),
    _Reason(
        "TooManyRequestsError",
        SpaceBusy,
        "limits the rate of requests: {text}",
        "wait some minutes, or set HF_TOKEN",
    ),
    _Reason("QueueError", SpaceBusy, "has a full queue", "run the same command again later"),
    _Reason(
        "ValidationError",
        SpaceApiMismatch,
        "refused the inputs: {text}",
        "compare the inputs with the Space's API page",
    ),
    _Reason(
        "quota",
        QuotaExceeded,
        "refused, because a GPU quota is used up: {text}",
        "sign in by setting HF_TOKEN to a token of huggingface.co/settings/tokens, or wait until the quota is renewed",
    ),
    _Reason("AppError", SpaceFailed, "reports an error of its own: {text}", "try the same inputs on the Space's page"),
    _Reason("CancelledError", SpaceUnreachable, "closed the connection before the clip was finished", _AGAIN),
    _Reason("TimeoutException", SpaceUnreachable, "did not answer in time", _CHECK),
    _Reason("ConnectError", SpaceUnreachable, "cannot be reached: {text}", _CHECK),
    _Reason("TransportError", SpaceUnreachable, "closed the connection: {text}", _AGAIN),
)
_NOT_UNDERSTOOD = _Reason(
    "",
    SpaceUnavailable,
    "answered in a way that is not understood: {text}",
    "open it in a browser: does a Gradio app run there?",
)
