"""Clip: the frames of one video, or the pictures of one prompt, stored losslessly and always decoded in the same way.

The key insight is that a decoder is part of the measurement: swscale's default YUV to RGB conversion darkens by about
one level, and an ignored BT.709 tag changes values by up to 25 levels. So every file that is scored is decoded here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from spacediff.errors import GenerationFailed, VideoNotReadable
from spacediff.pictures import PICTURE_FORMATS, PictureSet, picture_set

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

Frame = NDArray[np.uint8]
"""One picture, uint8 `[H, W, 3]`, RGB."""

Medium = Literal["video", "pictures"]
"""Whether the frames of a clip follow each other in time, or stand next to each other: one picture, or several."""

OnDecoded = Callable[[int, int], None]
"""Hears how many frames are decoded, and how many are expected; 0 if that is unknown."""

PICTURES_FPS = Fraction(1)
"""Frame rate of pictures, which have none; nothing shows it."""

MAX_FRAMES = 20_000
MAX_PIXELS_PER_FRAME = 7680 * 4320
MAX_CLIP_BYTES = 4 * 2**30
"""Limits for untrusted files, which may claim any size; a larger file is refused before it is decoded."""


def _unheard(_: int, __: int) -> None:
    pass


CONTAINERS = ("mov", "mp4", "matroska", "webm", "avi", "gif", "mpegts", "mpeg", "ogg", "flv", "h264", "hevc")
"""FFmpeg's names of the containers that are read. FFmpeg detects a container by its content; other formats, such as
concat, HLS and DASH, are lists of files and addresses that it would open as well."""

_PLANAR_IS_EQUAL = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv420p10le"}
"""Pixel formats whose accurate conversion to planes of RGB gives the bytes of that to interleaved RGB. Only the former
is written in assembler: it takes two fifths of the time."""


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


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames in memory.

    Attributes:
        frames: uint8 `[T, H, W, 3]`, RGB.
        fps: Frames per second; `PICTURES_FPS` for pictures.
        medium: Whether these are the frames of a video, or pictures that stand next to each other.
    """

    frames: NDArray[np.uint8]
    fps: Fraction
    medium: Medium = "video"

    def __post_init__(self) -> None:
        if self.frames.dtype != np.uint8 or self.frames.ndim != 4 or self.frames.shape[-1] != 3:  # noqa: PLR2004 - [T, H, W, 3]
            raise ValueError(f"a clip needs uint8 [T, H, W, 3], not {self.frames.dtype} {self.frames.shape}")

    @classmethod
    def from_floats(
        cls, frames: NDArray[np.floating[Any]], fps: Fraction, *, rounding: str = "round", medium: Medium = "video"
    ) -> Self:
        """Convert a pipeline's float frames to bytes, with one frame in memory besides the clip.

        Args:
            frames: `[T, H, W, 3]`, RGB in 0..1.
            fps: Frames per second.
            rounding: `round`, as diffusers' PIL output does, or `truncate`, as `export_to_video` does with arrays.
            medium: Whether these are the frames of a video, or pictures.

        Raises:
            GenerationFailed: The frames contain NaN or infinity.
        """
        levels = np.empty(frames.shape, np.uint8)
        broken = 0
        for frame, level in zip(frames, levels, strict=True):  # one at a time: the floats of a clip may fill gigabytes
            broken += int(np.count_nonzero(~np.isfinite(frame)))
            if not broken:
                scaled = np.clip(frame, 0, 1) * np.float32(255)
                level[...] = np.rint(scaled) if rounding == "round" else scaled
        if broken:
            what = "pictures" if medium == "pictures" else "frames"
            raise GenerationFailed(
                f"the pipeline returned {what} with {broken / frames.size:.1%} NaN or infinite values",
                hint="half precision overflows on some checkpoints: try model.dtype = 'bfloat16' or 'float32'",
            )
        return cls(levels, fps, medium)

    @property
    def digest(self) -> str:
        """SHA-256 of shape and bytes: equal digests mean equal frames."""
        return frames_digest(self.frames)


def counted(clip: Clip) -> str:
    """Return what a clip has a number of: `frames` or `pictures`."""
    return "pictures" if clip.medium == "pictures" else "frames"


def frames_digest(frames: Iterable[Frame]) -> str:
    """Compute the SHA-256 of a sequence of frames, with one frame in memory at a time."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(repr(frame.shape).encode())
        digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()


def write_lossless(clip: Clip, path: Path) -> None:
    """Write a clip as FFV1 in Matroska (RGB, intra-only, with a checksum in every slice), which any player opens."""
    import av

    with av.open(path, "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("ffv1", rate=clip.fps)
        stream.height, stream.width = clip.frames.shape[1:3]
        stream.pix_fmt = "bgr0"
        stream.codec_context.options = {"level": "3", "g": "1", "slicecrc": "1", "flags": "+bitexact"}
        for frame in clip.frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")))
        container.mux(stream.encode())


def write_preview(clip: Clip, path: Path, *, quality: int = 16, key_frames: int = 1) -> None:
    """Write a clip as H.264 that browsers play and seek frame by frame.

    Args:
        clip: The clip.
        path: The file to write.
        quality: x264's constant rate factor.
        key_frames: Frames from one key frame to the next; with 1, a seek decodes only the requested frame.
    """
    write_frames(clip.frames, clip.fps, path, quality=quality, key_frames=key_frames)


def write_frames(frames: Iterable[Frame], fps: Fraction, path: Path, *, quality: int, key_frames: int) -> None:
    """Write frames as `write_preview` writes a clip, with one of them in memory at a time.

    Odd sizes are padded by repeating the last row or column, because 4:2:0 needs even ones. The preset `veryfast` takes
    half the time of x264's default, and its files are no larger.

    Args:
        frames: The frames, all of one size.
        fps: Frames per second.
        path: The file to write.
        quality: x264's constant rate factor.
        key_frames: Frames from one key frame to the next.
    """
    import av

    with av.open(path, "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.options = {"crf": str(quality), "preset": "veryfast", "g": str(key_frames), "threads": "1"}
        stream.codec_context.color_range = 1  # limited
        stream.codec_context.colorspace = 1  # BT.709
        for number, frame in enumerate(frames):
            even = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")
            if not number:
                stream.height, stream.width = even.shape[:2]
            picture = av.VideoFrame.from_ndarray(even, format="rgb24")
            container.mux(stream.encode(_converted(picture, "yuv420p", to_colorspace=1)))
        container.mux(stream.encode())


def probe(path: Path) -> FileInfo:
    """Read the metadata of a file with a clip.

    Raises:
        VideoNotReadable: The file is neither a video nor a picture, or exceeds the limits.
    """
    if pictures := picture_set(path):
        return _info_of_pictures(pictures, path)
    with open_video(path) as container:
        return _info(container, path)


def read_frames(path: Path, *, accurate: bool = True) -> Iterator[Frame]:
    """Decode a file frame by frame, in presentation order, each uint8 `[H, W, 3]` RGB.

    Args:
        path: The file.
        accurate: Whether colours are converted with accurate rounding, as everything that is compared must be; without
            it, the frames are those of `diffusers.utils.load_video`, as a pipeline gets them.

    Raises:
        VideoNotReadable: The file is damaged, has no frames, or exceeds the limits.
    """
    pictures = picture_set(path)
    yield from pictures.frames() if pictures else _video_frames(path, accurate=accurate)


def _video_frames(path: Path, *, accurate: bool) -> Iterator[Frame]:
    import av

    count = 0
    with open_video(path) as container:
        size = _info(container, path)
        container.streams.video[0].thread_type = "AUTO"
        try:
            for picture in container.decode(video=0):
                _refuse_unreasonable(picture, count, size, path)
                count += 1
                yield _rgb(picture, accurate=accurate)
        except av.FFmpegError as error:
            raise VideoNotReadable(f"{path.name} is damaged after {count} frames: {error.strerror}") from error
        claimed, least = _claimed_frames(container)
    if not count:
        raise VideoNotReadable(f"{path.name} has no video frames")
    if count < least:
        raise VideoNotReadable(f"{path.name} is truncated after {count} of {claimed} frames")


def decode_stream(stream: IO[bytes]) -> Iterator[Frame]:
    """Decode what an encoder is writing into a pipe, as Matroska, each frame as soon as it is there.

    Args:
        stream: The end of the pipe to read from. The encoder is one of ours: nothing is limited.

    Raises:
        VideoNotReadable: It is not a video, or ends within a frame.
    """
    import av

    try:
        with av.open(stream, "r", format="matroska", options={"analyzeduration": "0"}) as container:
            for picture in container.decode(video=0):
                yield _rgb(picture, accurate=True)
    except (av.FFmpegError, IndexError) as error:
        raise VideoNotReadable("the encoder wrote no video") from error


def _claimed_frames(container: InputContainer) -> tuple[int, int]:
    """Return how many frames the file claims to have, and how many it must have at least; 0 if it does not say.

    A truncated MP4 still has the header of the whole file. An edit list may hide frames that the header counts, and
    shortens the duration accordingly. So the file must have the smaller of the two counts, minus one frame for
    rounding.
    """
    stream = container.streams.video[0]
    if not stream.frames or not container.duration or not stream.average_rate:
        return 0, 0
    played = int(container.duration / 1_000_000 * stream.average_rate)  # PyAV gives microseconds
    return min(stream.frames, max(played, 1)), min(stream.frames, max(played - 1, 1))


def _refuse_unreasonable(picture: av.VideoFrame, count: int, size: FileInfo, path: Path) -> None:
    if count >= MAX_FRAMES:
        raise VideoNotReadable(f"{path.name} has more than {MAX_FRAMES} frames")
    if (picture.width, picture.height) != (size.width, size.height):
        raise VideoNotReadable(f"{path.name} changes its frame size at frame {count}")


def read_clip(path: Path, on_frame: OnDecoded = _unheard, *, most_frames: int | None = None) -> Clip:
    """Decode a file into memory, with one frame besides those that are kept; see `read_frames`.

    Args:
        path: The file.
        on_frame: Called with the number of frames so far, and of those that are expected, 0 if that is unknown. What it
            raises ends the decoding.
        most_frames: How many frames are decoded at most; None for all.

    Raises:
        VideoNotReadable: The file is damaged, has no frames, or exceeds the limits.
    """
    info = probe(path)
    expected = min(info.frames, most_frames or info.frames)
    if expected * info.width * info.height * 3 > MAX_CLIP_BYTES:
        raise _too_large(path)
    frames, count = np.empty((0,), np.uint8), 0
    for frame in islice(read_frames(path), most_frames):
        if not count:
            frames = np.empty((1, *frame.shape), np.uint8)
        if count == len(frames):  # grown in place: the frames are never in memory twice
            frames.resize((count + 1 + count // 8, *frames.shape[1:]), refcheck=False)
        if frame.shape != frames.shape[1:]:
            raise VideoNotReadable(f"{path.name} changes its frame size at frame {count}")
        frames[count] = frame
        count += 1
        if count * frame.nbytes > MAX_CLIP_BYTES:
            raise _too_large(path)
        on_frame(count, expected)
    frames.resize((count, *frames.shape[1:]), refcheck=False)
    return Clip(frames, info.fps, info.medium)


def _too_large(path: Path) -> VideoNotReadable:
    return VideoNotReadable(f"{path.name} has more than {MAX_CLIP_BYTES / 2**30:.0f} GiB of decoded frames")


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
        why = known if isinstance(error, av.ArgumentError) else error.strerror
        raise VideoNotReadable(
            f"{path.name} cannot be opened as a video: {why}; nor is it a picture ({PICTURE_FORMATS})"
        ) from error
    except (av.FFmpegError, OSError) as error:
        raise VideoNotReadable(f"{path.name} cannot be opened as a video: {error.strerror}") from error


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


def _info(container: InputContainer, path: Path) -> FileInfo:
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


def _rgb(picture: av.VideoFrame, *, accurate: bool) -> Frame:
    """Convert a decoded picture to RGB; accurately through planes, where swscale gives the same bytes sooner."""
    if not accurate or picture.format.name not in _PLANAR_IS_EQUAL:
        return np.asarray(_converted(picture, "rgb24", accurate=accurate).to_ndarray(), dtype=np.uint8)
    import cv2

    green, blue, red = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in _converted(picture, "gbrp").planes
    )
    frame: Frame = cv2.merge([red, green, blue])
    return frame


def _converted(
    picture: av.VideoFrame, pixel_format: str, to_colorspace: int | None = None, *, accurate: bool = True
) -> av.VideoFrame:
    """Convert between pixel formats, according to the tags of range and matrix; by default with accurate rounding."""
    from av.video.reformatter import Interpolation

    exactly = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    return picture.reformat(
        format=pixel_format,
        dst_colorspace=to_colorspace,
        interpolation=Interpolation.BICUBIC | exactly if accurate else Interpolation.BICUBIC,
    )
