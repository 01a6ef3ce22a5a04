"""The one decoder of videos: every file that is scored is decoded here, since a decoder is part of the measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spacediff.clip.bands import is_large
from spacediff.clip.conversion import rgb
from spacediff.clip.file_info import FileInfo, info_of, open_video, packets_of, probe
from spacediff.clip.frames import Clip, Frame, Medium, frames_digest
from spacediff.errors import VideoNotReadable
from spacediff.pictures import picture_set

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

MAX_FRAMES = 20_000
MAX_CLIP_BYTES = 4 * 2**30
"""Limits for untrusted files, which may have any length; a larger file is refused before it is decoded whole."""
HELD_BYTES = 2**27
"""Decoded frames of a file that are held in memory; those of a longer one are decoded again by each pass over them.
CogVideoX's 49 frames of 480x720 pixels are 51 MB."""

MAX_VIDEO_PIXELS = 4096 * 2304
"""Of a frame of a video that is compared: larger ones would need gigabytes, and a small file may hold them."""
_THREADS = 2
"""Of the decoder of large frames; each holds some of them."""

OnDecoded = Callable[[int, int], None]
"""Hears how many frames are decoded, and how many are expected; 0 if that is unknown."""


def _unheard(_: int, __: int) -> None:
    pass


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


def read_frame(path: Path, number: int) -> Frame | None:
    """Decode one frame of a video, uint8 `[H, W, 3]` RGB; of those before it, which are decoded too, none is converted.

    Args:
        path: The file.
        number: The frame, from 0.

    Returns:
        None where there are fewer frames.

    Raises:
        VideoNotReadable: As in `read_frames`.
    """
    return next(_video_frames(path, accurate=True, first=number), None)


@dataclass(frozen=True)
class FileFrames:
    """The frames of a file, decoded by each pass over them: one is in memory at a time, unless an array is asked for.

    Attributes:
        path: The file, which must not change.
        shape: Number of frames, height, width, and 3 for RGB.
    """

    path: Path
    shape: tuple[int, int, int, int]

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Frame]:
        return islice(read_frames(self.path), len(self))

    def __array__(self, dtype: Any = None, *, copy: bool | None = None) -> NDArray[np.uint8]:
        """Decode all into memory, uint8 `[T, H, W, 3]`."""
        return np.stack(list(self)).astype(dtype or np.uint8, copy=False)


@dataclass(frozen=True)
class LongClip:
    """A clip whose frames are too many, or too large, to be held in memory; like a `Clip` otherwise.

    Attributes:
        frames: Its frames, each uint8 `[H, W, 3]`, RGB.
        fps: Frames per second.
        medium: Whether these are the frames of a video, or pictures that stand next to each other.
    """

    frames: FileFrames
    fps: Fraction
    medium: Medium = "video"

    @property
    def digest(self) -> str:
        """SHA-256 of shapes and bytes, that of a `Clip` with these frames."""
        return frames_digest(self.frames)


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
    frames, _ = _gathered(_within_limits(path, info, on_frame, most_frames), MAX_CLIP_BYTES)
    return Clip(frames, info.fps, info.medium)


def open_clip(path: Path, on_frame: OnDecoded = _unheard, *, most_frames: int | None = None) -> Clip | LongClip:
    """Decode a file as `read_clip` does, but hold no more than `HELD_BYTES` of its frames.

    Args:
        path: The file, which must stay as it is while the clip is used.
        on_frame: As in `read_clip`.
        most_frames: As in `read_clip`.

    Raises:
        VideoNotReadable: As in `read_clip`.
    """
    info = probe(path)
    stream = _within_limits(path, info, on_frame, most_frames)
    frames, beyond = _gathered(stream, HELD_BYTES)
    if beyond is None:
        return Clip(frames, info.fps, info.medium)
    count, size = len(frames) + 1, beyond.shape
    del frames
    count += sum(1 for _ in stream)
    return LongClip(FileFrames(path, (count, size[0], size[1], size[2])), info.fps, info.medium)


def _within_limits(path: Path, info: FileInfo, on_frame: OnDecoded, most_frames: int | None) -> Iterator[Frame]:
    """Yield the frames of a file, all of one size, as long as they are within the limits."""
    if info.medium == "video" and info.width * info.height > MAX_VIDEO_PIXELS:
        raise VideoNotReadable(
            f"{path.name} has frames of {info.width}x{info.height} pixels, and those of videos are compared up to "
            f"{MAX_VIDEO_PIXELS:,} pixels, such as 4096x2304",
            hint="scale both videos down in the same way",
        )
    expected = min(info.frames, most_frames or info.frames)
    if expected * info.width * info.height * 3 > MAX_CLIP_BYTES:
        raise _too_large(path)
    shape: tuple[int, ...] | None = None
    for count, frame in enumerate(islice(read_frames(path), most_frames)):
        shape = shape or frame.shape
        if frame.shape != shape:
            raise VideoNotReadable(f"{path.name} changes its frame size at frame {count}")
        if (count + 1) * frame.nbytes > MAX_CLIP_BYTES:
            raise _too_large(path)
        yield frame
        on_frame(count + 1, expected)


def _gathered(stream: Iterator[Frame], most_bytes: int) -> tuple[NDArray[np.uint8], Frame | None]:
    """Gather frames of one size, uint8 `[T, H, W, 3]`, and the first one that is more than so many bytes with them."""
    frames, count = np.empty((0,), np.uint8), 0
    for frame in stream:
        if not count:
            frames = np.empty((1, *frame.shape), np.uint8)
        if (count + 1) * frame.nbytes > most_bytes:
            frames.resize((count, *frames.shape[1:]), refcheck=False)
            return frames, frame
        if count == len(frames):  # grown in place: the frames are never in memory twice
            frames.resize((count + 1 + count // 8, *frames.shape[1:]), refcheck=False)
        frames[count] = frame
        count += 1
    frames.resize((count, *frames.shape[1:]), refcheck=False)
    return frames, None


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
            for picture in _pictures(container):
                yield rgb(picture, accurate=True)
    except (av.FFmpegError, IndexError) as error:
        raise VideoNotReadable("the encoder wrote no video") from error


def _video_frames(path: Path, *, accurate: bool, first: int = 0) -> Iterator[Frame]:
    import av

    count = 0
    with open_video(path) as container:
        size = info_of(container, path)
        container.streams.video[0].thread_type = "AUTO"
        if is_large(size.height, size.width):
            container.streams.video[0].codec_context.thread_count = _THREADS
        try:
            for picture in _pictures(container):
                _refuse_unreasonable(picture, count, size, path)
                count += 1
                if count > first:
                    yield rgb(picture, accurate=accurate)
        except av.FFmpegError as error:
            raise VideoNotReadable(f"{path.name} is damaged after {count} frames: {error.strerror}") from error
        claimed, least = _claimed_frames(container)
    if not count:
        raise VideoNotReadable(f"{path.name} has no video frames")
    if count < least:
        raise VideoNotReadable(f"{path.name} is truncated after {count} of {claimed} frames")


def _pictures(container: InputContainer) -> Iterator[av.VideoFrame]:
    """Yield the pictures of a container, as its `decode` does."""
    with packets_of(container, container.streams.video[0]) as packets:
        for packet in packets:
            yield from packet.decode()


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


def _too_large(path: Path) -> VideoNotReadable:
    return VideoNotReadable(f"{path.name} has more than {MAX_CLIP_BYTES / 2**30:.0f} GiB of decoded frames")
