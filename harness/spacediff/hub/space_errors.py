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
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from spacediff.errors import (
    CheckpointUnavailable,
    HubUnavailable,
    NotMeasuredError,
    QuotaExceeded,
    SpaceAnswerTooLarge,
    SpaceApiMismatch,
    SpaceBusy,
    SpaceFailed,
    SpaceNeedsLogin,
    SpaceNotFound,
    SpaceUnavailable,
    SpaceUnreachable,
)
from spacediff.hub.zerogpu import refusal_of, wait_of
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
    try:
        from huggingface_hub import get_token  # fails where HF_ENDPOINT is no address

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
        cleaned = type(error)(plain(error.message), hint=plain(error.hint, 4 * MAX_TEXT))
        raise _with_wait(cleaned, getattr(error, "wait_seconds", None)) from error
    except Exception as error:
        reason, text = _reason_of(error)
        what = reason.what.replace("{text}", text)
        ours = CheckpointUnavailable if kind == "checkpoint" else reason.error
        raise _with_wait(ours(f"{kind} {plain(name)} {what}", hint=reason.hint), wait_of(text)) from error


def _with_wait(error: NotMeasuredError, seconds: float | None) -> NotMeasuredError:
    if isinstance(error, QuotaExceeded):
        error.wait_seconds = seconds
    return error


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
    text = plain(getattr(error, "strerror", None) or str(error) or "no reason given")
    # By name, because gradio_client raises errors of httpx, and huggingface_hub 2 those of httpx2.
    names = {kind.__name__ for kind in type(error).__mro__}
    if "AppError" in names and (refusal := refusal_of(text)):
        return _Reason("", refusal.error, f"{refusal.what}: {{text}}", refusal.hint), text
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if "HfHubHTTPError" in names and status in _NOT_SHOWN and "credentials" not in text:
        names = {"RepositoryNotFoundError"}  # huggingface_hub raises it only for an https endpoint
    elif "HTTPStatusError" in names and "HfHubHTTPError" not in names:
        return _of_status(status), text
    if "unexpected_error" in text or "Server stopped" in text:
        names = {"CancelledError"}
    said = next((each for pattern, each in _SAID if re.search(pattern, text)), None)
    reason = said or next((each for each in _REASONS if each.name in names), _NOT_UNDERSTOOD)
    if issubclass(reason.error, SpaceUnreachable) and _asked_the_hub(error):
        reason = replace(reason, error=HubUnavailable)
    return reason, text


def _of_status(status: int) -> _Reason:
    """Return what a status of HTTP means that a Space answers with."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "no known status"
    what = f"answers with HTTP {status} ({phrase})"
    if status in _LOGINS:
        return _Reason("", SpaceNeedsLogin, what, "only Spaces without a login of their own can be audited")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _Reason("", SpaceBusy, what, "wait some minutes, or set HF_TOKEN")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _Reason("", SpaceUnreachable, what, _CHECK)
    return _Reason("", SpaceUnavailable, what, _NOT_UNDERSTOOD.hint)


def _asked_the_hub(error: Exception) -> bool:
    """Whether the failed request was sent to the Hub, not to the Space."""
    from huggingface_hub import constants

    try:
        address: str = str(error.request.url)  # type: ignore[attr-defined]  # only errors of httpx have it
    except (AttributeError, RuntimeError):  # httpx raises RuntimeError for an error without a request
        return False
    return urlsplit(address).netloc == urlsplit(constants.ENDPOINT).netloc


_NOT_SHOWN = (401, 404)
_LOGINS = (401, 403)
_BROWSER = "open it in a browser: does a Gradio app run there?"
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
    _Reason("AppError", SpaceFailed, "reports an error of its own: {text}", "try the same inputs on the Space's page"),
    _Reason("CancelledError", SpaceUnreachable, "closed the connection before the clip was finished", _AGAIN),
    _Reason("TimeoutException", SpaceUnreachable, "did not answer in time", _CHECK),
    _Reason("ConnectError", SpaceUnreachable, "cannot be reached", _CHECK),
    _Reason("RemoteProtocolError", SpaceUnreachable, "closed the connection before its answer was complete", _AGAIN),
    _Reason("DecodingError", SpaceUnavailable, "sent an answer whose compression is damaged", _AGAIN),
    _Reason("TransportError", SpaceUnreachable, "broke the connection", _AGAIN),
    _Reason("MemoryError", SpaceAnswerTooLarge, "sends answers that are too large", _BROWSER),
    _Reason("JSONDecodeError", SpaceUnavailable, "sent an answer that is not JSON", _BROWSER),
    _Reason("UnicodeDecodeError", SpaceUnavailable, "sent an answer that is not text", _BROWSER),
)
_NOT_UNDERSTOOD = _Reason("", SpaceUnavailable, "answered in a way that is not understood", _BROWSER)
_SAID = (
    (r"Connection refused", _Reason("", SpaceUnreachable, "cannot be reached: it refuses connections", _CHECK)),
    (
        r"Name or service not known|name resolution|nodename nor servname|getaddrinfo failed|No address associated",
        _Reason("", SpaceUnreachable, "cannot be reached: the name of its server is unknown", _CHECK),
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        _Reason("", SpaceUnreachable, "cannot be reached: its certificate is not accepted", _CHECK),
    ),
    (
        r"Could not fetch config|Could not get Gradio config",
        _Reason("", SpaceUnavailable, "serves no Gradio app at this address", _BROWSER),
    ),
    (r"Could not fetch api info", _Reason("", SpaceUnavailable, "does not describe its API", _BROWSER)),
    (
        r"Gradio 2\.x is not supported",
        _Reason("", SpaceUnavailable, "runs Gradio 2, which gradio_client does not support", "use a newer copy of it"),
    ),
)
"""What the texts of errors mean that have no class of their own."""
