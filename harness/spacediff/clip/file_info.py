"""What an untrusted file with a clip says of itself, before its frames are decoded."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

from spacediff.clip.frames import Medium
from spacediff.errors import VideoNotReadable
from spacediff.pictures import PICTURE_FORMATS, PictureSet, picture_set

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

MAX_PIXELS_PER_FRAME = 7680 * 4320
"""A file may claim any size; a larger one is refused before it is decoded."""

CONTAINERS = ("mov", "mp4", "matroska", "webm", "avi", "gif", "mpegts", "mpeg", "ogg", "flv", "h264", "hevc")
"""FFmpeg's names of the containers that are read. FFmpeg detects a container by its content; other formats, such as
concat, HLS and DASH, are lists of files and addresses that it would open as well."""


@dataclass(frozen=True)
class FileInfo:
    """The metadata of a file with a clip.

    Attributes:
        codec: Codec name, such as `h264` or `png`.
        pixel_format: Pixel format, such as `yuv420p`; of a picture Pillow's name, such as `RGB`.
        width: Pixels.
        height: Pixels.
        fps: Average frame rate in frames per second; 1 for pictures.
        color_range: `tv` (limited), `pc` (full) or `unspecified`; empty for pictures.
        color_space: Matrix, such as `bt709`, or `unspecified`; empty for pictures.
        size_bytes: File size.
        audio: Whether the file has a track of sound.
        frames: How many frames the file claims to have; 0 if it does not say.
        medium: Whether it is a video or pictures.
        notes: What of the file is not in its decoded frames, one sentence each.
    """

    codec: str
    pixel_format: str
    width: int
    height: int
    fps: Fraction
    color_range: str
    color_space: str
    size_bytes: int
    audio: bool = False
    frames: int = 0
    medium: Medium = "video"
    notes: tuple[str, ...] = ()


def probe(path: Path) -> FileInfo:
    """Read the metadata of a file with a clip.

    Raises:
        VideoNotReadable: The file is neither a video nor a picture, or exceeds the limits.
    """
    if pictures := picture_set(path):
        return _info_of_pictures(pictures, path)
    with open_video(path) as container:
        return info_of(container, path)


def open_video(path: Path) -> InputContainer:
    """Open an untrusted video file.

    Raises:
        VideoNotReadable: The file is not a video in one of the supported `CONTAINERS`.
    """
    import av

    options = {"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "file"}
    try:
        return av.open(path, "r", metadata_errors="replace", container_options=options)
    except (av.ArgumentError, av.InvalidDataError) as error:  # the first: a container that is not on the list
        known = f"its container is not one of {', '.join(CONTAINERS)}"
        if is_empty(path):
            raise VideoNotReadable(f"{path.name} is empty: it has 0 bytes") from error
        why = known if isinstance(error, av.ArgumentError) else error.strerror
        raise VideoNotReadable(
            f"{path.name} cannot be opened as a video: {why}; nor is it a picture ({PICTURE_FORMATS})"
        ) from error
    except (av.FFmpegError, OSError) as error:
        raise VideoNotReadable(f"{path.name} cannot be opened as a video: {error.strerror}") from error


def packets_of(container: InputContainer, stream: VideoStream) -> closing[Generator[Packet[VideoStream]]]:
    """Return the packets of a stream, to be entered by `with`.

    PyAV 18 frees what reading packets has allocated only where their generator ends or is closed by name: without that,
    a file that is left early costs 150 bytes, which keep a page of the heap from being given back.
    """
    return closing(cast("Generator[Packet[VideoStream]]", container.demux(stream)))


def is_empty(path: Path) -> bool:
    """Whether a file has no bytes; False where that cannot be seen."""
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


def info_of(container: InputContainer, path: Path) -> FileInfo:
    """Read the metadata of an open video.

    Raises:
        VideoNotReadable: It has no video stream that can be decoded, or claims frames that are too large.
    """
    if not container.streams.video or container.streams.video[0].codec_context is None:
        raise VideoNotReadable(f"{path.name} has no video stream that can be decoded")
    stream = container.streams.video[0]
    context = stream.codec_context
    if not 0 < context.width * context.height <= MAX_PIXELS_PER_FRAME:
        claimed = f"{context.width}x{context.height} pixels"
        raise VideoNotReadable(f"{path.name} claims frames of {claimed}; at most {MAX_PIXELS_PER_FRAME:,} are decoded")
    return FileInfo(
        codec=context.codec.canonical_name,
        pixel_format=context.pix_fmt or "unknown",
        width=context.width,
        height=context.height,
        fps=Fraction(stream.average_rate or stream.guessed_rate or 0),
        color_range={1: "tv", 2: "pc"}.get(int(context.color_range), "unspecified"),
        color_space={1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}.get(
            int(context.colorspace), "unspecified"
        ),
        size_bytes=path.stat().st_size,
        audio=bool(container.streams.audio),
        frames=stream.frames,
    )


def _info_of_pictures(pictures: PictureSet, path: Path) -> FileInfo:
    first = pictures.infos[0]
    formats = dict.fromkeys(info.format for info in pictures.infos)
    modes = dict.fromkeys(info.mode for info in pictures.infos)
    return FileInfo(
        codec=", ".join(formats),
        pixel_format=", ".join(modes),
        width=first.width,
        height=first.height,
        fps=first.fps,
        color_range="",
        color_space="",
        size_bytes=path.stat().st_size,
        medium="video" if pictures.animated else "pictures",
        notes=tuple(note for info in pictures.infos for note in info.notes),
    )
