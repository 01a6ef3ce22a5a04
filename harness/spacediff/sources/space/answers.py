"""The answer of a Space: find the clip and the seed in its outputs, and download the files, which are untrusted."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from spacediff.clip import Clip, FileInfo, LongClip, open_clip, probe
from spacediff.errors import DeadlineExceeded, SpaceOutputUnusable, VideoNotReadable
from spacediff.files import move, remove_file
from spacediff.hub.space_errors import plain
from spacediff.pictures import picture_format, write_set
from spacediff.pictures.sets import MAX_PICTURES
from spacediff.progress import Progress, report_frames
from spacediff.scenario.tables.reference import SEVERAL
from spacediff.sources.space.request import NOUNS, SpaceRequest
from spacediff.sources.space.retrying import PASSING, retried

PART = "hosted.part"
"""The name of a file that is being downloaded."""
MAX_BYTES = 2 * 2**30
"""A larger file of a Space is not downloaded."""

_DATA = "data:image/"
"""How an address begins that holds the picture itself, as Gradio 3 sends one."""
_ENDINGS = (
    *(".mp4", ".webm", ".mov", ".mkv", ".gif", ".avi"),
    *(".png", ".jpg", ".jpeg", ".webp", ".avif"),
)

SILENCE_SECONDS = 60.0
"""A Gradio server sends a heartbeat every 15 s; a connection that is silent for longer than this is broken."""


def file_addresses(outputs: Sequence[Any], request: SpaceRequest, root: str, listed: str) -> list[str]:
    """Return the http(s) or data addresses of the files in the output that has the clip: one, or those of a gallery.

    Args:
        outputs: All outputs of the job.
        request: Says which output has the clip, and which file of a gallery is wanted.
        root: Address of the app's API; the files must be on the same server.
        listed: The outputs that the Space declares, for the message.

    Raises:
        SpaceOutputUnusable: The output has no file or too many, or a file is on another server.
    """
    role, index = request.result
    value = outputs[index] if index < len(outputs) else None
    found = _addresses_in(value, root)
    if not found:
        received = _kind_of(value) if index < len(outputs) else "nothing"
        raise SpaceOutputUnusable(
            f"output {index} of the Space is not {NOUNS[role]} but {received}", hint=f"its outputs are {listed}"
        )
    chosen = _chosen(found, request, index)
    for address in chosen:
        if not address.startswith(_DATA) and urlsplit(address)[:2] != urlsplit(root)[:2]:
            raise SpaceOutputUnusable(
                f"the Space's file is on another server ({urlsplit(address).hostname}) and was not downloaded",
                hint="download the file yourself and audit it",
            )
    return chosen


def _chosen(found: list[str], request: SpaceRequest, index: int) -> list[str]:
    """Return the wanted ones of several files; never fewer than were asked for."""
    wanted = request.outputs.get("index")
    if wanted is not None:
        if wanted >= len(found):
            raise SpaceOutputUnusable(
                f"output {index} of the Space has {len(found)} files, and outputs.index asks for number {wanted}",
                hint="the first one has number 0",
            )
        return [found[wanted]]
    if len(found) > 1 and request.result[0] not in SEVERAL:
        raise SpaceOutputUnusable(
            f"output {index} of the Space has {len(found)} files",
            hint=f"outputs = {{ gallery = {index} }} takes all of them, and index = 0 next to it only the first",
        )
    return found


def _addresses_in(value: Any, root: str) -> list[str]:
    """Find the files in an output; its form depends on the component and on the version of Gradio."""
    if isinstance(value, Mapping) and value.get("__type__") == "update":
        return _addresses_in(value.get("value"), root)
    items = value if isinstance(value, list | tuple) else [value]
    found = [_address_in(item, root) for item in items]
    return [address for address in found if address] if all(found) else []


def _address_in(value: Any, root: str) -> str | None:
    """Find one file; older versions give an item of a gallery as a list of the file and its caption."""
    if isinstance(value, list | tuple):
        return _address_in(value[0], root) if value else None
    if isinstance(value, Mapping):
        for name in ("video", "image"):
            if name in value:
                return _address_in(value[name], root)
        path, url = value.get("path") or value.get("name"), value.get("url")
        if not isinstance(path, str):
            return urljoin(root, url) if isinstance(url, str) else None
    elif isinstance(value, str) and value.startswith(_DATA):
        return value
    elif isinstance(value, str) and value.lower().endswith(_ENDINGS):
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


def on_loopback(address: str) -> bool:
    """Whether an address belongs to this machine; a proxy from the environment could not reach it."""
    return (urlsplit(address).hostname or "") in {"127.0.0.1", "localhost", "::1"}


def download_all(
    addresses: Sequence[str], headers: Mapping[str, str], cookies: Mapping[str, str], folder: Path, most_bytes: int
) -> Path:
    """Download the files of an output unchanged: one to `hosted.<ext>`, several pictures to the set `hosted.zip`.

    Raises:
        SpaceOutputUnusable: The server refuses a file, or it is no clip, or they are too many or too large.
    """
    if len(addresses) == 1:
        return download(addresses[0], headers, cookies, folder, most_bytes)
    if len(addresses) > MAX_PICTURES:
        raise SpaceOutputUnusable(f"the Space's gallery has {len(addresses)} files; at most {MAX_PICTURES} are taken")
    hosted = folder / "hosted.zip"
    try:
        write_set(_pictures(addresses, headers, cookies, folder, most_bytes), hosted)
    except BaseException:
        remove_file(hosted)
        raise
    return hosted


def _pictures(
    addresses: Sequence[str], headers: Mapping[str, str], cookies: Mapping[str, str], folder: Path, most_bytes: int
) -> Iterator[bytes]:
    """Yield the content of each file, downloaded when it is asked for."""
    left = most_bytes
    for address in addresses:
        file = download(address, headers, cookies, folder, left)
        try:
            content = file.read_bytes()
        finally:
            remove_file(file)
        if not picture_format(content[:32]):
            raise SpaceOutputUnusable(
                f"the Space's gallery has {len(addresses)} files, and one is a video",
                hint="choose one of them with outputs.index",
            )
        left -= len(content)
        yield content


def download(
    address: str, headers: Mapping[str, str], cookies: Mapping[str, str], folder: Path, most_bytes: int
) -> Path:
    """Download a file unchanged to `hosted.<ext>`, without following redirects.

    The download of gradio_client has no size limit, fetches every output, and sends the token along with a redirect.

    Raises:
        SpaceOutputUnusable: The server refuses the file, or it is not a video, or it is too large.
    """
    part = folder / PART
    try:
        if address.startswith(_DATA):
            part.write_bytes(_content_of(address, most_bytes))
        else:
            retried(lambda: _fetch(address, headers, cookies, part, most_bytes))
        with part.open("rb") as file:
            container = _container_of(file.read(64))
        if not container:
            raise SpaceOutputUnusable(
                "the file from the Space is neither a video nor a picture",
                hint="check which output has the clip: outputs.video, outputs.image or outputs.gallery",
            )
        hosted = folder / f"hosted.{container}"
        move(part, hosted)
        return hosted
    finally:
        remove_file(part)


def _content_of(address: str, most_bytes: int) -> bytes:
    """Return the content of a data address."""
    if len(address) > most_bytes:
        raise SpaceOutputUnusable(f"the Space's file is larger than the limit of {most_bytes:,} bytes")
    try:
        return base64.b64decode(address.partition(";base64,")[2], validate=True)
    except ValueError as error:
        raise SpaceOutputUnusable("the Space's picture is not valid base64") from error


def _fetch(address: str, headers: Mapping[str, str], cookies: Mapping[str, str], part: Path, most_bytes: int) -> None:
    import httpx

    with httpx.stream(
        "GET",
        address,
        headers=dict(headers),
        cookies=dict(cookies),
        timeout=SILENCE_SECONDS,
        trust_env=not on_loopback(address),
    ) as response:
        if response.status_code in PASSING:
            response.raise_for_status()
        if not response.is_success:
            raise SpaceOutputUnusable(f"the Space refused the download of its file (HTTP {response.status_code})")
        announced = response.headers.get("content-length", "")
        write_bounded(part, response.iter_bytes(), int(announced) if announced.isdigit() else 0, most_bytes)


def write_bounded(path: Path, chunks: Iterator[bytes], announced: int, most_bytes: int, ends: float = math.inf) -> None:
    """Write an answer into a file.

    Args:
        path: The file.
        chunks: The answer.
        announced: Its size as the server says, in bytes; 0 if it does not.
        most_bytes: Its largest size.
        ends: When it must have ended, on the monotonic clock.

    Raises:
        SpaceOutputUnusable: It is too large.
        DeadlineExceeded: It takes too long.
    """
    received = 0
    with path.open("wb") as file:
        for chunk in chunks:
            received += len(chunk)
            if max(announced, received) > most_bytes:
                raise SpaceOutputUnusable(f"the Space's file is larger than the limit of {most_bytes:,} bytes")
            if time.monotonic() > ends:
                raise DeadlineExceeded("the deadline passed while the file was downloaded", hint="set a longer one")
            file.write(chunk)


def _container_of(head: bytes) -> str:
    """Return the file extension for a video or picture, by its first bytes; empty if it is neither."""
    if picture := picture_format(head):
        return picture
    if head[4:8] == b"ftyp":
        return "mov" if head[8:12] == b"qt  " else "mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm" if b"webm" in head else "mkv"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        return "mov"
    return ""


def decoded(original: Path, ends: float, progress: Progress) -> tuple[Clip | LongClip, FileInfo]:
    """Decode the downloaded file, and read its metadata.

    Args:
        original: The file.
        ends: When its last frame must be decoded, on the monotonic clock.
        progress: Receives the number of frames.

    Raises:
        SpaceOutputUnusable: It cannot be decoded.
        DeadlineExceeded: It has too many frames for the time that is left.
    """

    def on_frame(done: int, expected: int) -> None:
        if time.monotonic() > ends:
            raise DeadlineExceeded(
                f"the deadline passed after {done:,} frames of the Space's file were decoded", hint="set a longer one"
            )
        report_frames(progress, done, expected)

    progress.on_status("decoding the result")
    try:
        return open_clip(original, on_frame), probe(original)
    except VideoNotReadable as error:
        raise SpaceOutputUnusable(
            f"the file from the Space cannot be decoded: {error.message}",
            hint=error.hint or "run the same command again; if the error remains, the Space writes broken files",
        ) from error
