"""Fresh processes that convert and encode: the `ffmpeg` program that imageio, and with it diffusers, uses.

The key insight: x264 (core 165, AVX-512, mbtree) reads memory that it never wrote. In a fresh process that memory
is zero and the result is reproducible; in a long-lived one it holds earlier data.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from spacediff.errors import EncodingFailed

MAX_SECONDS = 900
"""A stranger's options may ask for days of motion search."""


def ffmpeg(arguments: Sequence[str], pictures: memoryview | bytes) -> bytes:
    """Run the program on raw pictures and return what it writes to its output.

    Args:
        arguments: Arguments after the program's name; `-i -` reads the pictures.
        pictures: The bytes of all pictures, in order.

    Raises:
        EncodingFailed: The program is missing, refuses, or takes longer than `MAX_SECONDS`.
    """
    return in_process(ffmpeg_command(arguments), pictures)


def ffmpeg_command(arguments: Sequence[str]) -> list[str]:
    """Return the command that runs the program quietly.

    Raises:
        EncodingFailed: The program is missing.
    """
    import imageio_ffmpeg

    try:
        program = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise EncodingFailed(
            "imageio-ffmpeg finds no ffmpeg program", hint="install imageio-ffmpeg from a wheel"
        ) from error
    return [program, "-y", "-v", "error", *arguments]


def in_process(command: Sequence[str], pictures: memoryview | bytes) -> bytes:
    """Run a command on raw pictures and return what it writes to its output; raises as `ffmpeg` does."""
    try:
        done = subprocess.run(command, input=pictures, capture_output=True, timeout=MAX_SECONDS, check=False)  # noqa: S603 - a list, no shell
    except subprocess.TimeoutExpired as error:
        raise EncodingFailed(f"encoding like the hosted file takes longer than {MAX_SECONDS} s") from error
    except OSError as error:
        raise EncodingFailed(f"the encoder cannot be started: {error.strerror}") from error
    if done.returncode:
        raise EncodingFailed(f"the encoder refuses to encode like the hosted file: {_reason(done.stderr)}")
    return done.stdout


@contextmanager
def while_it_writes(command: Sequence[str], pictures: memoryview | bytes) -> Iterator[IO[bytes]]:
    """Run a command on raw pictures, and give its output while it writes.

    It ends with the block, or after `MAX_SECONDS`. Of a command that refuses, the output ends early.

    Raises:
        EncodingFailed: It cannot be started.
    """
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing)  # noqa: S603 - a list, no shell
    except OSError as error:
        raise EncodingFailed(f"the encoder cannot be started: {error.strerror}") from error
    given, written = (cast("IO[bytes]", each) for each in (process.stdin, process.stdout))
    feeding = threading.Thread(target=_feed, args=(given, pictures), daemon=True)
    ending = threading.Timer(MAX_SECONDS, process.kill)
    feeding.start()
    ending.start()
    try:
        yield written
    finally:
        ending.cancel()
        process.kill()
        process.wait()
        feeding.join()
        written.close()


def _feed(pipe: IO[bytes], pictures: memoryview | bytes) -> None:
    with suppress(OSError), pipe:  # the process may end before it has read all
        pipe.write(pictures)


def raw_input(width: int, height: int, pixel_format: str, fps: object) -> list[str]:
    """Return the arguments that describe raw pictures on standard input, as imageio-ffmpeg gives them."""
    size = ["-s", f"{width}x{height}", "-pix_fmt", pixel_format]
    return ["-f", "rawvideo", "-vcodec", "rawvideo", *size, "-r", str(fps), "-i", "-", "-an"]


def output_argument(path: Path) -> str:
    """Return a path as an argument that cannot be mistaken for an option or a URL."""
    return f"file:{path}"


def _reason(stderr: bytes) -> str:
    """Return the first line of a program's error output, without URLs and paths of this machine."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        return "it gives no reason"
    line = re.sub(r"^\[[^\]]*\] ", "", lines[0])
    return re.sub(r"(file:)?[^\s'\"]*[/\\][^\s'\"]*", "…", line)[:200]
