"""The process that asks an index of packages: `python -m spacediff.environments.conversation`; see `releases`."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from http.client import InvalidURL
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote

from spacediff.conversing import Channel, serve
from spacediff.hub.ids import server_of

_ACCEPTED = "application/vnd.pypi.simple.v1+json"
_MOST_BYTES = 32 * 2**20
_CHUNK = 2**18
_SILENCE = 15.0
"""Seconds without a byte."""
_AUTHORIZATION = "Authorization"
_NO_ADDRESS = "its address is not the http address of a server"


def main() -> None:
    """Answer what is asked until the asking process ends."""
    serve(_answered, most_file_bytes=0)


def _answered(asked: dict[str, Any], _: Channel) -> Mapping[str, Any]:
    try:
        return {"kind": "answered", "files": _files(json.loads(_fetched(asked["address"])))}
    except HTTPError as error:
        return _failed(str(error.reason), unknown=error.code == HTTPStatus.NOT_FOUND)
    except InvalidURL:  # it quotes the address, which may hold a password
        return _failed(_NO_ADDRESS)
    except Exception as error:  # noqa: BLE001 - whatever an answer makes of Python's client
        return _failed(str(getattr(error, "reason", None) or error) or type(error).__name__)


def _failed(reason: str, *, unknown: bool = False) -> Mapping[str, Any]:
    return {"kind": "failed", "reason": reason, "unknown": unknown}


def _fetched(address: str) -> bytes:
    parts = server_of(address)
    if parts is None:
        raise InvalidURL
    _, _, server = parts.netloc.rpartition("@")
    bare = parts._replace(netloc=server).geturl()
    request = urllib.request.Request(bare, headers={"Accept": _ACCEPTED})  # noqa: S310 - its scheme is checked
    if parts.username:
        request.add_unredirected_header(_AUTHORIZATION, f"Basic {_credentials(parts)}")
    content = bytearray()
    with urllib.request.build_opener(_Redirections).open(request, timeout=_SILENCE) as response:
        while chunk := response.read1(_CHUNK):
            content += chunk
            if len(content) > _MOST_BYTES:
                raise ValueError(f"it sends more than {_MOST_BYTES:,} bytes")
    return bytes(content)


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Follows redirections; user and password go to the same server only."""

    def redirect_request(self, req: urllib.request.Request, *more: Any) -> urllib.request.Request | None:
        """Return the request that follows another."""
        found = super().redirect_request(req, *more)
        kept = req.unredirected_hdrs.get(_AUTHORIZATION)
        if found is not None and kept and (found.type, found.host) == (req.type, req.host):
            found.add_unredirected_header(_AUTHORIZATION, kept)
        return found


def _credentials(parts: SplitResult) -> str:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _files(page: Any) -> list[dict[str, Any]]:
    """Return what is used of a project page of PEP 691, with the upload times of PEP 700 where the index has them."""
    if not isinstance(page, dict) or not isinstance(page.get("files"), list):
        raise TypeError("its answer is no list of files")
    files: list[Any] = page["files"]
    if not all(isinstance(file, dict) and isinstance(file.get("filename"), str) for file in files):
        raise TypeError("a file has no name")
    return [
        {
            "name": file["filename"],
            "uploaded": str(file.get("upload-time") or ""),
            "yanked": bool(file.get("yanked")),
        }
        for file in files
    ]


if __name__ == "__main__":
    main()
