"""What a video file says about how it was encoded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from spacediff.clip import MAX_PIXELS_PER_FRAME, open_video
from spacediff.codec.sei import is_monochrome, x264_note
from spacediff.codec.x264 import X264
from spacediff.errors import VideoNotReadable, failure

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext

UNSPECIFIED = "unspecified"

_MAX_NAME = 80
# Code points of ITU-T H.273, by FFmpeg's names.
_MATRICES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc",
    10: "bt2020c", 14: "ictcp",
}  # fmt: skip
_PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020", 10: "smpte428",
    11: "smpte431", 12: "smpte432",
}  # fmt: skip
_TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip


@dataclass(frozen=True)
class Encoding:
    """How a file was encoded, as far as it says.

    Attributes:
        container: FFmpeg's name of the container, such as `mov,mp4,m4a,3gp,3g2,mj2`.
        codec: Codec name, such as `h264`.
        pixel_format: FFmpeg's name, such as `yuv420p`; `gray` for H.264 without chroma.
        width: Pixels.
        height: Pixels.
        fps: Frames per second: the encoder's own where the stream names it, else the container's; 0 when unknown.
        frames: How many frames the container counts; 0 when it does not.
        color_range: `tv` (limited), `pc` (full) or `unspecified`.
        matrix: RGB to YUV matrix, such as `bt709`, or `unspecified`.
        primaries: Colour primaries, or `unspecified`.
        transfer: Transfer function, or `unspecified`.
        bit_rate: Mean bits per second; 0 when unknown.
        muxer: What wrote the container, such as `Lavf61.7.100`; may be empty.
        encoder: What the container names as the encoder, such as `Lavc61.19.100 libx264`; may be empty.
        level: H.264 level times ten; None for other codecs.
        x264: x264's note about itself; None when x264 did not encode the file or wrote no note.
    """

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    fps: Fraction
    frames: int
    color_range: str
    matrix: str
    primaries: str
    transfer: str
    bit_rate: int
    muxer: str
    encoder: str
    level: int | None = None
    x264: X264 | None = None
    suffix: ClassVar[str] = ".mp4"
    """The name's ending of a file that is encoded like it."""

    @property
    def by_library(self) -> bool:
        """Whether a program that uses FFmpeg's libraries wrote the file, such as PyAV, and not the program `ffmpeg`.

        Both name themselves in an MP4; the encoder of the stream is named only by `ffmpeg`.
        """
        return "mp4" in self.container and self.muxer.startswith("Lavf") and not self.encoder


def read_encoding(path: Path) -> Encoding:
    """Read how a video file was encoded.

    Raises:
        VideoNotReadable: The file is not a video, or claims more pixels than are decoded here.
    """
    import av

    try:
        with open_video(path) as container:
            return _encoding(container, path)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or failure(error)
        raise VideoNotReadable(f"{path.name} cannot be opened as a video: {reason}") from error


def _encoding(container: InputContainer, path: Path) -> Encoding:
    if not container.streams.video:
        raise VideoNotReadable(f"{path.name} contains no video stream")
    stream = container.streams.video[0]
    context: VideoCodecContext | None = stream.codec_context
    if context is None:  # a codec that this FFmpeg does not know, against PyAV's types
        raise VideoNotReadable(f"{path.name} contains video in an unknown format")
    if not 0 < context.width * context.height <= MAX_PIXELS_PER_FRAME:
        raise VideoNotReadable(f"{path.name} claims {context.width}x{context.height} pixels, more than is decoded here")
    is_h264 = context.name == "h264"
    monochrome = is_h264 and is_monochrome(context.extradata or b"")
    return Encoding(
        container=container.format.name,
        codec=context.codec.canonical_name,
        pixel_format="gray" if monochrome else context.pix_fmt or "unknown",
        width=context.width,
        height=context.height,
        fps=Fraction(context.framerate or stream.average_rate or stream.guessed_rate or 0),
        frames=stream.frames,
        color_range={1: "tv", 2: "pc"}.get(int(context.color_range), UNSPECIFIED),
        matrix=_MATRICES.get(int(context.colorspace), UNSPECIFIED),
        primaries=_PRIMARIES.get(int(context.color_primaries), UNSPECIFIED),
        transfer=_TRANSFERS.get(int(context.color_trc), UNSPECIFIED),
        bit_rate=container.bit_rate or 0,
        muxer=_name(container.metadata),
        encoder=_name(stream.metadata),
        level=context.level if is_h264 and context.level > 0 else None,
        x264=x264_note(container, stream) if is_h264 else None,
    )


def _name(metadata: dict[str, str]) -> str:
    """Return the entry `encoder` of a stranger's metadata, or nothing when it is not a plain short name."""
    name = next((value for key, value in metadata.items() if key.lower() == "encoder"), "")
    return name if len(name) <= _MAX_NAME and name.isascii() and name.isprintable() else ""
