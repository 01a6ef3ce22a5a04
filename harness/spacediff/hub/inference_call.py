"""The process that calls an API with huggingface_hub's `InferenceClient`; see `spacediff.sources.inference`.

The client waits and polls without a limit of its own, and holds the whole answer in memory. In a process of its own,
both end when the audit ends it. It imports nothing heavy of spacediff, so that a call begins at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from spacediff.conversing import Channel, serve

_LONGEST = 500
_MOST_FILE_BYTES = 2**31


def main() -> None:
    """Make the calls that are asked for until the audit ends."""
    serve(_answered, _MOST_FILE_BYTES)


def _answered(asked: dict[str, Any], _: Channel) -> Mapping[str, Any]:
    try:
        return {"kind": "answered", "file": _called(asked)}
    except Exception as error:  # noqa: BLE001 - the audit names it
        return {"kind": "failed", "error": _described(error)}


def _called(request: dict[str, Any]) -> str:
    from huggingface_hub import InferenceClient

    client = InferenceClient(model=request["model"], provider=request["provider"] or None)
    method = getattr(client, request["task"])
    given = dict(request["arguments"])
    known = inspect.signature(method).parameters
    if "extra_body" in known:
        further = {name: given.pop(name) for name in list(given) if name not in known}
        given |= {"extra_body": further} if further else {}
    if "image" in known:
        given["image"] = Path(request["image"]).read_bytes()
    return _written(method(prompt=request["prompt"] or None, **given), Path(request["folder"]))


def _written(found: Any, folder: Path) -> str:
    """Write a clip as it came: a video's bytes, and of a picture the bytes that it was opened from."""
    if isinstance(found, bytes):
        file = folder / f"answer{_suffix(found)}"
        file.write_bytes(found)
        return file.name
    opened = getattr(found, "fp", None)
    if isinstance(opened, BytesIO) and found.format:
        file = folder / f"answer.{found.format.lower()}"
        file.write_bytes(opened.getvalue())
    else:
        file = folder / "answer.png"
        found.save(file)
    return file.name


def _suffix(content: bytes) -> str:
    return ".webm" if content.startswith(b"\x1aE\xdf\xa3") else ".gif" if content.startswith(b"GIF8") else ".mp4"


def _described(error: Exception) -> dict[str, Any]:
    response = getattr(error, "response", None)
    return {
        "kind": type(error).__name__,
        "message": str(error)[:_LONGEST],
        "status": getattr(response, "status_code", None),
        "retry_after": str(getattr(response, "headers", {}).get("retry-after", ""))[:20],
    }


if __name__ == "__main__":
    main()
