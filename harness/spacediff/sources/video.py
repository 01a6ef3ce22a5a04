"""The video source: a video file of the user."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from spacediff.clip import VideoInfo, probe, read_clip
from spacediff.errors import VideoNotReadable
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced


def take(file: Path, folder: Path) -> Produced:
    """Copy a video into a run's folder, unmodified, and decode it.

    Args:
        file: The video.
        folder: The folder of the copy.

    Raises:
        NotMeasuredError: The file is missing, or cannot be decoded as a video.
    """
    began = time.monotonic()
    if not file.is_file():
        raise VideoNotReadable(f"{file} is not a regular file" if file.exists() else f"there is no video file {file}")
    info, clip = probe(file), read_clip(file)
    copied = folder / f"original{file.suffix.lower()}"
    shutil.copyfile(file, copied)
    return Produced(
        clip=clip,
        settings=file_settings(info, file.name),
        described=f"file {file.name}",
        seconds=time.monotonic() - began,
        original=copied,
        encoding=describe(info),
    )


def file_settings(info: VideoInfo, where: str) -> Settings:
    """Return the Settings that a file's metadata contain."""
    output = {"fps": float(info.fps), "codec": info.codec, "pixel_format": info.pixel_format}
    size = {"width": info.width, "height": info.height}
    return Settings.of({"output": output, "call": size}, Origin.READ, where)


def describe(info: VideoInfo) -> str:
    """Describe the encoding of a file in one line."""
    colour = f"{info.color_range} range, {info.color_space} matrix"
    return (
        f"{info.codec} {info.pixel_format} {info.width}x{info.height}, {float(info.fps):g} fps, {colour}, "
        f"{info.size_bytes / 1000:,.0f} kB"
    )
