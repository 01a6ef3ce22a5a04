"""Every failure of a host becomes one clean sentence with a hint; nothing it says is passed on as it came."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from spacediff.errors import NotMeasuredError
from spacediff.privacy.redaction import redact_text

MAX_TEXT = 500
"""Characters of a host's text that are shown."""


def plain(text: Any, limit: int = MAX_TEXT) -> str:
    """Return a host's text as one printable line, bounded, without markup and without what redaction takes out."""
    line = re.sub(r"</?[A-Za-z][^<>]*>", " ", str(text))
    line = " ".join("".join(character if character.isprintable() else " " for character in line).split())
    if token := _own_token(os.environ.get("HF_TOKEN", "")):
        line = line.replace(token, "[redacted]")
    line = redact_text(line)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


@lru_cache(maxsize=1)
def _own_token(_environment: str) -> str:
    """Return the user's token wherever it is kept; read anew when the environment's has changed."""
    from huggingface_hub import get_token

    try:
        return get_token() or ""
    except Exception:  # noqa: BLE001 - a login that cannot be read, whatever the reason, is never sent either
        return ""


@contextlib.contextmanager
def explained(name: str, kind: str = "Space") -> Iterator[None]:
    """Turn whatever a host and its clients can raise into a clean reason with a hint."""
    try:
        yield
    except NotMeasuredError as error:
        raise NotMeasuredError(plain(error.message), hint=plain(error.hint, 4 * MAX_TEXT)) from error
    except Exception as error:
        what, hint = _reason_of(error)
        raise NotMeasuredError(f"{kind} {plain(name)} {what}", hint=hint) from error


def _reason_of(error: Exception) -> tuple[str, str]:
    text = plain(getattr(error, "strerror", None) or str(error) or type(error).__name__)
    # By name, because gradio_client raises the errors of httpx and huggingface_hub 2 those of httpx2.
    names = {kind.__name__ for kind in type(error).__mro__}
    if "AppError" in names and re.search(r"\bquota\b", text, re.IGNORECASE):
        names = {"quota"}
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if "HfHubHTTPError" in names and status in _NOT_SHOWN and "credentials" not in text:
        names = {"RepositoryNotFoundError"}  # huggingface_hub itself says so only where the Hub speaks https
    if "unexpected_error" in text or "Server stopped" in text:
        names = {"CancelledError"}
    for name, what, hint in _REASONS:
        if name in names:
            return what.replace("{text}", text), hint
    return f"answered in a way that is not understood: {text}", "open it in a browser: does a Gradio app run there?"


_NOT_SHOWN = (401, 404)


_REASONS = (
    ("HFValidationError", "cannot exist, its id is not ORG/NAME", "write ORG/NAME, or the address of a Gradio app"),
    ("RepositoryNotFoundError", "is not on the Hub, or it is private", "check the id; if it is private, set HF_TOKEN"),
    ("OfflineModeIsEnabled", "cannot be asked: HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE"),
    ("HfHubHTTPError", "could not be looked up on the Hub: {text}", "try again later; check HF_TOKEN if it is set"),
    ("AuthenticationError", "asks for a login: {text}", "only Spaces without a login of their own can be audited"),
    ("TooManyRequestsError", "turns requests away: {text}", "wait some minutes, or set HF_TOKEN"),
    ("QueueError", "has a full queue", "run the same command again later"),
    ("ValidationError", "refused the inputs: {text}", "hold the inputs against the Space's API page"),
    (
        "quota",
        "refused, because a GPU quota is used up: {text}",
        "sign in by setting HF_TOKEN to a token of huggingface.co/settings/tokens, or wait until the quota is renewed",
    ),
    ("AppError", "reports an error of its own: {text}", "try the same inputs on the Space's page"),
    ("CancelledError", "broke the connection off before the clip was done", "run the same command again"),
    ("TimeoutException", "did not answer in time", "check the network, and whether the Space runs"),
    ("ConnectError", "cannot be reached: {text}", "check the network, and whether the Space runs"),
    ("TransportError", "broke the connection off: {text}", "run the same command again"),
)
