"""Clips as files: losslessly, as everything that is compared is kept, and as previews for a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from spacediff.clip.conversion import converted
from spacediff.clip.decoding import LongClip
from spacediff.clip.frames import Clip, Frame


def write_lossless(clip: Clip | LongClip, path: Path, *, on_frame: Callable[[], object] | None = None) -> None:
    """Write a clip as FFV1 in Matroska (RGB, intra-only, with a checksum in every slice), which any player opens.

    Args:
        clip: The clip.
        path: The file to write.
        on_frame: Called before each frame; what it raises ends the writing.
    """
    import av

    with av.open(path, "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("ffv1", rate=clip.fps)
        stream.height, stream.width = clip.frames.shape[1:3]
        stream.pix_fmt = "bgr0"
        stream.codec_context.options = {"level": "3", "g": "1", "slicecrc": "1", "flags": "+bitexact"}
        for frame in clip.frames:
            if on_frame:
                on_frame()
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")))
        container.mux(stream.encode())


def write_preview(
    clip: Clip | LongClip,
    path: Path,
    *,
    quality: int = 16,
    key_frames: int = 1,
    on_frame: Callable[[], object] | None = None,
) -> None:
    """Write a clip as H.264 that browsers play and seek frame by frame.

    Args:
        clip: The clip.
        path: The file to write.
        quality: x264's constant rate factor.
        key_frames: Frames from one key frame to the next; with 1, a seek decodes only the requested frame.
        on_frame: Called before each frame; what it raises ends the writing.
    """
    write_frames(clip.frames, clip.fps, path, quality=quality, key_frames=key_frames, on_frame=on_frame)


def write_frames(
    frames: Iterable[Frame],
    fps: Fraction,
    path: Path,
    *,
    quality: int,
    key_frames: int,
    on_frame: Callable[[], object] | None = None,
) -> None:
    """Write frames as `write_preview` writes a clip, with one of them in memory at a time.

    Odd sizes are padded by repeating the last row or column, because 4:2:0 needs even ones. The preset `veryfast` takes
    half the time of x264's default, and its files are no larger.

    Args:
        frames: The frames, all of one size.
        fps: Frames per second.
        path: The file to write.
        quality: x264's constant rate factor.
        key_frames: Frames from one key frame to the next.
        on_frame: Called before each frame; what it raises ends the writing.
    """
    import av

    with av.open(path, "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.options = {"crf": str(quality), "preset": "veryfast", "g": str(key_frames), "threads": "1"}
        stream.codec_context.color_range = 1  # limited
        stream.codec_context.colorspace = 1  # BT.709
        for number, frame in enumerate(frames):
            if on_frame:
                on_frame()
            even = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")
            if not number:
                stream.height, stream.width = even.shape[:2]
            picture = av.VideoFrame.from_ndarray(even, format="rgb24")
            container.mux(stream.encode(converted(picture, "yuv420p", to_colorspace=1)))
        container.mux(stream.encode())
