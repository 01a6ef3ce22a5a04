"""The one decoder of videos: every file that is scored is decoded here, since a decoder is part of the measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from spacediff.clip.conversion import rgb
from spacediff.clip.file_info import FileInfo, info_of, open_video, probe
from spacediff.clip.frames import Clip, Frame
from spacediff.errors import VideoNotReadable
from spacediff.pictures import picture_set

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

MAX_FRAMES = 20_000
MAX_CLIP_BYTES = 4 * 2**30
"""Limits for untrusted files, which may have any length; a larger file is refused before it is decoded whole."""

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
                yield rgb(picture, accurate=True)
    except (av.FFmpegError, IndexError) as error:
        raise VideoNotReadable("the encoder wrote no video") from error


def _video_frames(path: Path, *, accurate: bool) -> Iterator[Frame]:
    import av

    count = 0
    with open_video(path) as container:
        size = info_of(container, path)
        container.streams.video[0].thread_type = "AUTO"
        try:
            for picture in container.decode(video=0):
                _refuse_unreasonable(picture, count, size, path)
                count += 1
                yield rgb(picture, accurate=accurate)
        except av.FFmpegError as error:
            raise VideoNotReadable(f"{path.name} is damaged after {count} frames: {error.strerror}") from error
        claimed, least = _claimed_frames(container)
    if not count:
        raise VideoNotReadable(f"{path.name} has no video frames")
    if count < least:
        raise VideoNotReadable(f"{path.name} is truncated after {count} of {claimed} frames")


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
