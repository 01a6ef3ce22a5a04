"""The process that asks the Hub: `python -m spacediff.hub.conversation`; see `spacediff.hub.asking`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from spacediff.conversing import Channel, serve
from spacediff.errors import HubUnavailable, NotMeasuredError
from spacediff.hub.files import PATIENCE_SECONDS, facts_of, small_file
from spacediff.hub.ids import server_of
from spacediff.hub.space_errors import explained, plain

_MOST_FILE_BYTES = 2**26
"""Of a file that is written here; the Hub's client announces a size and may get another."""

_REACHED_SECONDS = 5.0
"""Seconds without a byte after which the Hub counts as out of reach where only that is asked."""


def main() -> None:
    """Answer what is asked until the asking process ends."""
    serve(_answered, _MOST_FILE_BYTES)


def _answered(asked: dict[str, Any], _: Channel) -> Mapping[str, Any]:
    try:
        return {"kind": "answered", "found": look_up(asked["what"], asked["of"])}
    except NotMeasuredError as error:
        return _failed(error)
    except Exception as error:  # noqa: BLE001 - whatever an answer makes of the Hub's client
        return _failed(HubUnavailable(f"the Hub's answer is not usable: {plain(str(error)) or type(error).__name__}"))


def _failed(error: NotMeasuredError) -> Mapping[str, Any]:
    return {"kind": "failed", "code": error.code, "message": error.message, "hint": error.hint}


def look_up(what: str, of: Mapping[str, Any]) -> Any:
    """Ask the Hub in this process, and return plain data.

    Args:
        what: `space`, `model`, `files`, `file`, `quota` or `reached`.
        of: The arguments, by name.

    Raises:
        NotMeasuredError: The Hub does not give it.
    """
    return _LOOK_UPS[what](**of)


def _space(space: str) -> dict[str, Any]:
    from huggingface_hub import HfApi

    with explained(space):
        info = HfApi().space_info(space, timeout=PATIENCE_SECONDS)
        card: Any = info.card_data or {}
        return {
            "id": info.id,
            "commit": info.sha or "",
            "app_file": str(card.get("app_file") or "app.py"),
            "files": [sibling.rfilename for sibling in info.siblings or []],
            "facts": facts_of(info),
        }


def _model(model: str, revision: str | None) -> dict[str, Any]:
    from huggingface_hub import HfApi

    with explained(model, "checkpoint"):
        info = HfApi().model_info(model, revision=revision, timeout=PATIENCE_SECONDS)
        return {"id": info.id, "commit": info.sha or ""}


def _files(model: str, revision: str | None) -> list[str]:
    from huggingface_hub import HfApi

    with explained(model, "checkpoint"):
        info = HfApi().model_info(model, revision=revision, timeout=PATIENCE_SECONDS)
        return [sibling.rfilename for sibling in info.siblings or []]


def _file(repository: str, path: str, kind: str, revision: str | None, most_bytes: int) -> str | None:
    content = small_file(repository, path, kind=kind, revision=revision, most_bytes=most_bytes)
    return None if content is None else base64.b64encode(content).decode()


def _reached() -> str:
    import httpx
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise HubUnavailable("HF_HUB_OFFLINE is set")
    if server_of(constants.ENDPOINT) is None:
        raise HubUnavailable("HF_ENDPOINT is not the http address of a server")
    address = plain(constants.ENDPOINT)
    try:
        httpx.head(constants.ENDPOINT, timeout=_REACHED_SECONDS, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise HubUnavailable(f"{address} cannot be reached ({type(error).__name__})") from error
    return address


def _quota() -> dict[str, Any] | None:
    """Return the answer of the Hub on the quota of the user's token; None where there is no token, or no answer.

    Source: `GET /api/spaces/zero-gpu/quota` of the Hub's OpenAPI description: `base` and `current` are seconds.
    """
    from huggingface_hub import constants, get_token
    from huggingface_hub.utils import build_hf_headers, get_session  # type: ignore[attr-defined]  # without `__all__`

    if not get_token():
        return None
    address = f"{constants.ENDPOINT}/api/spaces/zero-gpu/quota"
    answer = get_session().get(address, headers=build_hf_headers(), timeout=PATIENCE_SECONDS)
    found = answer.json() if answer.status_code == HTTPStatus.OK else None
    return {name: found.get(name) for name in ("base", "current", "resetsAt")} if isinstance(found, dict) else None


_LOOK_UPS: dict[str, Callable[..., Any]] = {
    "space": _space,
    "model": _model,
    "files": _files,
    "file": _file,
    "quota": _quota,
    "reached": _reached,
}


if __name__ == "__main__":
    main()
