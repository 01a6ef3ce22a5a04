"""The answer of a Space: find the video and the seed in its outputs, and download the file, which is untrusted."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from spacediff.clip import Clip, VideoInfo, probe, read_clip
from spacediff.errors import DeadlineExceeded, NotMeasuredError, SpaceOutputUnusable
from spacediff.files import move, remove_file
from spacediff.hub.space_errors import plain

MAX_BYTES = 2 * 2**30
"""A larger file of a Space is not downloaded."""

SILENCE_SECONDS = 60.0
"""A Gradio server sends a heartbeat every 15 s; a connection that is silent for longer than this is broken."""


def video_address(outputs: Sequence[Any], index: int, root: str, listed: str) -> str:
    """Return the http(s) address of the video in an output.

    Args:
        outputs: All outputs of the job.
        index: Index of the output with the video.
        root: Address of the app's API; the video must be on the same server.
        listed: The outputs that the Space declares, for the message.

    Raises:
        SpaceOutputUnusable: The output is not a video, or the video is on another server.
    """
    address = _address_in(outputs[index], root) if index < len(outputs) else None
    if address is None:
        received = _kind_of(outputs[index]) if index < len(outputs) else "nothing"
        raise SpaceOutputUnusable(
            f"output {index} of the Space is not a video but {received}", hint=f"its outputs are {listed}"
        )
    if urlsplit(address)[:2] != urlsplit(root)[:2]:
        raise SpaceOutputUnusable(
            f"the Space's video is on another server ({urlsplit(address).hostname}) and was not downloaded",
            hint="download the video yourself and audit the file",
        )
    return address


def _address_in(value: Any, root: str) -> str | None:
    """Find the file in an output; its form depends on the version of Gradio."""
    if isinstance(value, list | tuple):
        return _address_in(value[0], root) if len(value) == 1 else None
    if isinstance(value, Mapping):
        if value.get("__type__") == "update" or "video" in value:
            return _address_in(value.get("value", value.get("video")), root)
        path, url = value.get("path") or value.get("name"), value.get("url")
        if not isinstance(path, str):
            return urljoin(root, url) if isinstance(url, str) else None
    elif isinstance(value, str) and value.lower().endswith((".mp4", ".webm", ".mov", ".mkv", ".gif", ".avi")):
        path = value
    else:
        return None
    return path if path.startswith(("http://", "https://")) else f"{root}file={quote(path)}"


def _kind_of(value: Any) -> str:
    """Describe the kind of a value. Its text is not shown, since it may be the path of a file on the server."""
    if isinstance(value, Mapping):
        return f"a table of {plain(', '.join(map(str, value)), 100) or 'nothing'}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return "nothing" if value is None else "a text" if isinstance(value, str) else "a number"


def integer_in(value: Any) -> int | None:
    """Return the integer in an output, in any form in which Gradio returns a number; otherwise None."""
    if isinstance(value, list | tuple):
        return integer_in(value[0]) if len(value) == 1 else None
    if isinstance(value, Mapping):
        return integer_in(value.get("value"))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"\s*([+-]?\d{1,20})(?:\.0*)?\s*", value) if isinstance(value, str) else None
    return int(match[1]) if match else None


def on_loopback(address: str) -> bool:
    """Whether an address belongs to this machine; a proxy from the environment could not reach it."""
    return (urlsplit(address).hostname or "") in {"127.0.0.1", "localhost", "::1"}


def download(address: str, headers: Mapping[str, str], cookies: Mapping[str, str], folder: Path, ends: float) -> Path:
    """Download a file unchanged to `hosted.<ext>`, without following redirects.

    The download of gradio_client has no size limit, fetches every output, and sends the token along with a redirect.

    Raises:
        SpaceOutputUnusable: The server refuses the file, or it is not a video, or it is too large.
        DeadlineExceeded: The download took too long.
    """
    import httpx

    part = folder / "hosted.part"
    try:
        with httpx.stream(
            "GET",
            address,
            headers=dict(headers),
            cookies=dict(cookies),
            timeout=SILENCE_SECONDS,
            trust_env=not on_loopback(address),
        ) as response:
            if not response.is_success:
                raise SpaceOutputUnusable(f"the Space refused the download of its video (HTTP {response.status_code})")
            announced = response.headers.get("content-length", "")
            _write_bounded(part, response.iter_bytes(), int(announced) if announced.isdigit() else 0, ends)
        with part.open("rb") as file:
            container = _container_of(file.read(64))
        if not container:
            raise SpaceOutputUnusable(
                "the file from the Space is not a video", hint="check which output is the video: outputs.video"
            )
        hosted = folder / f"hosted.{container}"
        move(part, hosted)
        return hosted
    finally:
        remove_file(part)


def _write_bounded(path: Path, chunks: Iterator[bytes], announced: int, ends: float) -> None:
    received = 0
    with path.open("wb") as file:
        for chunk in chunks:
            received += len(chunk)
            if max(announced, received) > MAX_BYTES:
                raise SpaceOutputUnusable(f"the Space's video is larger than the limit of {MAX_BYTES:,} bytes")
            if time.monotonic() > ends:
                raise DeadlineExceeded("the deadline passed while the video was downloaded", hint="set a longer one")
            file.write(chunk)


def _container_of(head: bytes) -> str:
    """Return the file extension for a video, by its first bytes; empty if it is not a video."""
    if head[4:8] == b"ftyp":
        return "mov" if head[8:12] == b"qt  " else "mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm" if b"webm" in head else "mkv"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        return "mov"
    return "gif" if head.startswith((b"GIF87a", b"GIF89a")) else ""


def decoded(original: Path) -> tuple[Clip, VideoInfo]:
    """Decode the downloaded file, and read its metadata."""
    try:
        return read_clip(original), probe(original)
    except NotMeasuredError as error:
        raise SpaceOutputUnusable(
            f"the video from the Space cannot be decoded: {error.message}",
            hint=error.hint or "run the same command again; if the error remains, the Space writes broken files",
        ) from error
