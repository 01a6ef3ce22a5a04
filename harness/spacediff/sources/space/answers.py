"""What a Space hands over: the outputs in all their shapes, and the file, bounded and named here."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from spacediff.clip import Clip, VideoInfo, probe, read_clip
from spacediff.errors import DeadlineExceeded, NotMeasuredError, SpaceOutputUnusable
from spacediff.hub.errors import plain

MAX_BYTES = 2 * 2**30
"""A hosted file larger than this is not fetched."""


SILENCE_SECONDS = 60.0
"""A Gradio server sends a heartbeat every 15 s; a connection that is silent for longer than this is broken."""


def video_address(outputs: Sequence[Any], index: int, root: str, listed: str) -> str:
    """Return the http(s) address of the video that an output holds.

    Args:
        outputs: All outputs of the job.
        index: Which of them is the video.
        root: Address of the app's API; the video must have the same address.
        listed: The outputs as the Space declares them, for people.
    """
    address = _address_in(outputs[index], root) if index < len(outputs) else None
    if address is None:
        came = _kind_of(outputs[index]) if index < len(outputs) else "nothing"
        raise SpaceOutputUnusable(
            f"output {index} of the Space holds no video but {came}", hint=f"its outputs are {listed}"
        )
    if urlsplit(address)[:2] != urlsplit(root)[:2]:
        raise SpaceOutputUnusable(
            f"the Space keeps its video at another address ({urlsplit(address).hostname}), which is not asked",
            hint="download the video yourself and audit the file",
        )
    return address


def _address_in(value: Any, root: str) -> str | None:
    """Find the file in an output, whichever shape the server's version gives it."""
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
    """Name a value by its kind; its text might be the path of a file on the machine that serves it."""
    if isinstance(value, Mapping):
        return f"a table of {plain(', '.join(map(str, value)), 100) or 'nothing'}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return "nothing" if value is None else "a text" if isinstance(value, str) else "a number"


def integer_in(value: Any) -> int | None:
    """Return the integer that an output holds, in any of the shapes in which a number arrives; else None."""
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
    """Return whether an address is this machine's own, which no proxy of the environment can reach."""
    return (urlsplit(address).hostname or "") in {"127.0.0.1", "localhost", "::1"}


def download(address: str, headers: Mapping[str, str], cookies: Mapping[str, str], folder: Path, ends: float) -> Path:
    """Fetch a file as it is into `hosted.<ext>`, and follow no redirect.

    gradio_client's own download has no bound, fetches every output, and takes the token to wherever it is redirected.
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
                raise SpaceOutputUnusable(f"the Space does not give its video out (HTTP {response.status_code})")
            announced = response.headers.get("content-length", "")
            _write_bounded(part, response.iter_bytes(), int(announced) if announced.isdigit() else 0, ends)
        with part.open("rb") as file:
            container = _container_of(file.read(64))
        if not container:
            raise SpaceOutputUnusable("the file that the Space gave is no video", hint="is it the right output?")
        return part.replace(folder / f"hosted.{container}")
    finally:
        part.unlink(missing_ok=True)


def _write_bounded(path: Path, chunks: Iterator[bytes], announced: int, ends: float) -> None:
    received = 0
    with path.open("wb") as file:
        for chunk in chunks:
            received += len(chunk)
            if max(announced, received) > MAX_BYTES:
                raise SpaceOutputUnusable(f"the Space's video is larger than {MAX_BYTES:,} bytes, which is refused")
            if time.monotonic() > ends:
                raise DeadlineExceeded("the deadline passed while the video was fetched", hint="give it a longer one")
            file.write(chunk)


def _container_of(head: bytes) -> str:
    """Return the file extension that a video's first bytes call for; empty when it is no video."""
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
    """Decode the hosted file, and read what it says of itself."""
    try:
        return read_clip(original), probe(original)
    except NotMeasuredError as error:
        raise SpaceOutputUnusable(
            f"the video that the Space gave cannot be decoded: {error.message}",
            hint=error.hint or "run the same command again; if it stays so, the Space writes broken files",
        ) from error
