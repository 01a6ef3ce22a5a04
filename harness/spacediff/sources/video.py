"""The video source: a file that somebody gives, taken as it is."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from spacediff.clip import VideoInfo, probe, read_clip
from spacediff.errors import VideoNotReadable
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced


def take(file: Path, folder: Path) -> Produced:
    """Copy a video untouched into a run's folder and decode it.

    Args:
        file: The video.
        folder: Where the copy goes.

    Raises:
        NotMeasuredError: The file is missing, or is no video that can be decoded.
    """
    began = time.monotonic()
    if not file.is_file():
        raise VideoNotReadable(f"{file} is no regular file" if file.exists() else f"there is no video file {file}")
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
    """Return what a file's own metadata tell of the Settings behind it."""
    output = {"fps": float(info.fps), "codec": info.codec, "pixel_format": info.pixel_format}
    size = {"width": info.width, "height": info.height}
    return Settings.of({"output": output, "call": size}, Origin.READ, where)


def describe(info: VideoInfo) -> str:
    """Return one line on how a file is encoded."""
    colour = f"{info.color_range} range, {info.color_space} matrix"
    return (
        f"{info.codec} {info.pixel_format} {info.width}x{info.height}, {float(info.fps):g} fps, {colour}, "
        f"{info.size_bytes / 1000:,.0f} kB"
    )
