"""Fresh processes that convert and encode: the `ffmpeg` program that imageio, and with it diffusers, uses.

The key insight: x264 (core 165, AVX-512, mbtree) lets memory that it never wrote decide. In a process of its own that
memory is zero and the result repeats; in a long-lived one it is whatever was there before.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from spacediff.errors import EncodingFailed

MAX_SECONDS = 900
"""A stranger's options may ask for days of motion search."""


def ffmpeg(arguments: Sequence[str], pictures: memoryview | bytes) -> bytes:
    """Run the program on raw pictures and return what it writes to its output.

    Args:
        arguments: What follows the program's name; `-i -` reads the pictures.
        pictures: The bytes of all pictures, one after the other.

    Raises:
        EncodingFailed: There is no such program, it refuses, or it takes longer than `MAX_SECONDS`.
    """
    import imageio_ffmpeg

    try:
        program = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise EncodingFailed(
            "imageio-ffmpeg has no ffmpeg program here", hint="install imageio-ffmpeg from a wheel"
        ) from error
    return in_process([program, "-y", "-v", "error", *arguments], pictures)


def in_process(command: Sequence[str], pictures: memoryview | bytes) -> bytes:
    """Run a command on raw pictures and return what it writes to its output; raises as `ffmpeg` does."""
    try:
        done = subprocess.run(command, input=pictures, capture_output=True, timeout=MAX_SECONDS, check=False)  # noqa: S603 - a list, no shell
    except subprocess.TimeoutExpired as error:
        raise EncodingFailed(f"encoding as hosted takes longer than {MAX_SECONDS} s") from error
    except OSError as error:
        raise EncodingFailed(f"the encoder cannot be started: {error.strerror}") from error
    if done.returncode:
        raise EncodingFailed(f"the encoder refuses to encode as hosted: {_reason(done.stderr)}")
    return done.stdout


def raw_input(width: int, height: int, pixel_format: str, fps: object) -> list[str]:
    """Return the arguments that describe raw pictures on standard input, as imageio-ffmpeg gives them."""
    size = ["-s", f"{width}x{height}", "-pix_fmt", pixel_format]
    return ["-f", "rawvideo", "-vcodec", "rawvideo", *size, "-r", str(fps), "-i", "-", "-an"]


def target(path: Path) -> str:
    """Return a path as an argument that cannot be taken for an option or an address."""
    return f"file:{path}"


def _reason(stderr: bytes) -> str:
    """Return the first line that a program complains with, without addresses and paths of this machine."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        return "it does not say why"
    line = re.sub(r"^\[[^\]]*\] ", "", lines[0])
    return re.sub(r"(file:)?[^\s'\"]*[/\\][^\s'\"]*", "…", line)[:200]
