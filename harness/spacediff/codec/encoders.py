"""The available encoders: x264 in imageio's ffmpeg and in PyAV, and the closest ones for files not written by x264."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

from spacediff.clip import Clip
from spacediff.codec.encoding import UNSPECIFIED, Encoding, read_encoding
from spacediff.codec.export import export_to_video
from spacediff.codec.ffmpeg import ffmpeg, ffmpeg_command, in_process, output_argument, raw_input
from spacediff.codec.pictures import Pictures, converted
from spacediff.codec.x264 import Repeat
from spacediff.errors import EncodingFailed, NotMeasuredError, failure
from spacediff.files import move
from spacediff.record import Fact, FactKind, fact
from spacediff.settings import EXPORT_QUALITY

Encoder = Callable[[Pictures, Repeat, Fraction, Path | None], list[str]]
"""Returns the command that encodes raw pictures from its input: into an MP4, or as Matroska to its output."""

_NEAREST = {  # codec: encoder in imageio's ffmpeg, its options, container
    "h264": ("libx264", [], "mp4"),
    "hevc": ("libx265", ["-x265-params", "log-level=error"], "mp4"),
    "mpeg4": ("mpeg4", [], "mp4"),
    "vp8": ("libvpx", ["-cpu-used", "4"], "webm"),
    "vp9": ("libvpx-vp9", ["-cpu-used", "4", "-row-mt", "1"], "webm"),
    "av1": ("libsvtav1", ["-preset", "8", "-svtav1-params", "lp=2"], "mp4"),
}


def x264_in_ffmpeg(pictures: Pictures, repeat: Repeat, fps: Fraction, path: Path | None) -> list[str]:
    """Return the command of the x264 of imageio's ffmpeg.

    Raises:
        EncodingFailed: The program is missing.
    """
    arguments = raw_input(pictures.width, pictures.height, pictures.pixel_format, fps)
    arguments += ["-vcodec", "libx264rgb" if pictures.pixel_format == "rgb24" else "libx264"]
    arguments += ["-preset", repeat.preset, "-pix_fmt", pictures.pixel_format, "-x264-params", repeat.joined]
    output = ["-f", "mp4", output_argument(path)] if path else ["-f", "matroska", "-cluster_time_limit", "1", "-"]
    return ffmpeg_command([*arguments, *output])


def x264_in_pyav(pictures: Pictures, repeat: Repeat, fps: Fraction, path: Path | None) -> list[str]:
    """Return the command of PyAV's x264, for 8-bit 4:2:0 pictures."""
    size = [str(pictures.width), str(pictures.height)]
    program = [sys.executable, "-P", str(Path(__file__).with_name("pyav_process.py"))]
    options = [pictures.pixel_format, str(fps), repeat.preset, repeat.joined]
    return [*program, output_argument(path) if path else "pipe:1", *size, *options]


def x264_of_core(core: int, pixel_format: str) -> Encoder:
    """Return the encoder whose x264 has a given core; imageio's ffmpeg where none has."""
    if pixel_format == "yuv420p" and core_of(x264_in_ffmpeg) != core and core_of(x264_in_pyav) == core:
        return x264_in_pyav
    return x264_in_ffmpeg


@cache
def core_of(encoder: Encoder) -> int | None:
    """Return the core of an encoder's x264, read from a picture that it encodes; None when it cannot encode one."""
    black = Pictures(bytes(16 * 16 * 3 // 2), 1, 16, 16, "yuv420p", ())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.mp4"
        try:
            in_process(encoder(black, Repeat({"threads": "1"}), Fraction(8), path), black.data)
            note = read_encoding(path).x264
        except NotMeasuredError:
            return None
    return note.core if note else None


def encode_approximately(clip: Clip, encoding: Encoding, fps: Fraction, path: Path) -> tuple[Fact, ...]:
    """Encode as closely as possible to a file that does not say how it was encoded; return what was done."""
    if encoding.codec == "gif":
        _as_gif(clip, fps, path)
        return (fact(FactKind.NEAREST_GIF),)
    if encoding.codec == "mpeg4" and encoding.by_library and _by_opencv(clip, fps, path):
        return (fact(FactKind.NEAREST_OPENCV),)
    if encoding.codec in _NEAREST and encoding.bit_rate:
        encoder, options, container = _NEAREST[encoding.codec]
        pictures = converted(clip, encoding, "yuv420p")
        arguments = raw_input(pictures.width, pictures.height, pictures.pixel_format, fps)
        arguments += ["-vcodec", encoder, "-pix_fmt", pictures.pixel_format, "-b:v", str(encoding.bit_rate), *options]
        ffmpeg([*arguments, *_tags(encoding), "-f", container, output_argument(path)], pictures.data)
        return fact(FactKind.NEAREST_ENCODER, encoder=encoder, bit_rate=encoding.bit_rate), *pictures.remarks
    try:
        export_to_video(Clip(clip.frames, fps), path, quality=EXPORT_QUALITY)
    except (OSError, ValueError, RuntimeError) as error:
        raise EncodingFailed(f"export_to_video fails: {failure(error)}") from error
    return (fact(FactKind.NEAREST_EXPORT, quality=EXPORT_QUALITY),)


def _tags(encoding: Encoding) -> list[str]:
    """Return the filter that tags the pictures' colours without changing them."""
    named = {
        "range": encoding.color_range,
        "colorspace": encoding.matrix,
        "color_primaries": encoding.primaries,
        "color_trc": encoding.transfer,
    }
    tags = [f"{name}={value}" for name, value in named.items() if value != UNSPECIFIED]
    return ["-vf", f"setparams={':'.join(tags)}"] if tags else []


def _as_gif(clip: Clip, fps: Fraction, path: Path) -> None:
    import PIL.Image

    first, *others = (PIL.Image.fromarray(frame) for frame in clip.frames)
    milliseconds = int(1000 // fps)
    first.save(path, "GIF", save_all=True, append_images=others, optimize=False, duration=milliseconds, loop=0)


def _by_opencv(clip: Clip, fps: Fraction, path: Path) -> bool:
    """Write an MP4 as diffusers does without imageio; return whether OpenCV has a writer for it here."""
    import cv2

    height, width = clip.frames.shape[1:3]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder) / "clip.mp4"  # OpenCV takes the container from the name
        writer = cv2.VideoWriter(str(written), cv2.VideoWriter.fourcc(*"mp4v"), float(fps), (width, height))
        for frame in clip.frames if writer.isOpened() else ():
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        writer.release()
        if written.exists() and written.stat().st_size:
            move(written, path)
            return True
    return False
