"""Video files as Spaces write them: by the ffmpeg program, by PyAV, and encoded again like one of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

from spacediff.clip import Clip, read_clip
from spacediff.codec import Match, encode_like, read_encoding
from support.clips import moving_ball, with_frames


def grainy(frames: int = 9, height: int = 64, width: int = 96) -> Clip:
    """A clip on which every decision of an encoder shows."""
    clip = moving_ball(frames, height, width)
    grain = np.random.default_rng(0).integers(-25, 26, clip.frames.shape)
    return with_frames(clip, clip.frames + grain)


def by_ffmpeg(clip: Clip, path: Path, *options: str) -> Path:
    """Encode as a Space does that calls the ffmpeg program."""
    height, width = clip.frames.shape[1:3]
    pictures = ["-f", "rawvideo", "-s", f"{width}x{height}", "-pix_fmt", "rgb24", "-r", str(clip.fps), "-i", "-"]
    codec = [] if "-vcodec" in options else ["-vcodec", "libx264"]
    chroma = [] if "-pix_fmt" in options else ["-pix_fmt", "yuv420p"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *pictures, *codec, *chroma, *options, str(path)]
    subprocess.run(command, input=clip.frames.tobytes(), check=True, timeout=60)
    return path


def by_pyav(clip: Clip, path: Path, pixel_format: str = "yuv420p", **options: str) -> Path:
    """Encode as a Space does that calls the libraries of FFmpeg.

    Without mbtree: on AVX-512 its result depends on uninitialised memory, which differs between processes.
    """
    parameters = f"mbtree=0:{options.pop('x264', 'bframes=3')}"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=clip.fps)
        stream.height, stream.width = clip.frames.shape[1:3]
        stream.pix_fmt = pixel_format
        stream.codec_context.options = {"x264-params": parameters, **options}
        for frame in clip.frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def put_through(clip: Clip, hosted: Path) -> tuple[Match, bool]:
    """Encode like a hosted file; return the match and whether both files decode to the same bytes."""
    ours = hosted.with_name("ours.mp4")
    match = encode_like(clip, read_encoding(hosted), ours)
    mine, theirs = read_clip(ours), read_clip(hosted)
    assert mine.fps == theirs.fps
    return match, np.array_equal(mine.frames, theirs.frames)
