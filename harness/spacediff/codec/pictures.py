"""RGB frames as an encoder's input: size, pixel format, matrix and range as in the hosted file.

The key insight: this conversion causes differences of its own, before any codec. The `ffmpeg` program halves the chroma
with a bicubic filter, PyAV with a bilinear one; on sharp colours they differ by several levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spacediff.clip import Clip
from spacediff.codec.encoding import UNSPECIFIED, Encoding
from spacediff.codec.ffmpeg import ffmpeg, raw_input
from spacediff.record import Fact, FactKind, fact

MACRO_BLOCK = 16

CONVERTED_TO = {"bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "bt2020nc"}
_BY_PYAV = {"yuv420p", "yuv444p", "yuv420p10le"}  # formats whose arrays hold all planes


@dataclass(frozen=True, eq=False)
class Pictures:
    """Raw pictures in memory.

    Attributes:
        data: The planes of all pictures, in order.
        count: Number of pictures.
        width: Pixels.
        height: Pixels.
        pixel_format: FFmpeg's name.
        remarks: How they were converted, where a reader should know.
    """

    data: bytes
    count: int
    width: int
    height: int
    pixel_format: str
    remarks: tuple[Fact, ...]


def converted(clip: Clip, encoding: Encoding, pixel_format: str) -> Pictures:
    """Convert frames as the hosted file's were, as far as it says how.

    Args:
        clip: RGB frames.
        encoding: The hosted file: its matrix, range and size, and which program wrote it.
        pixel_format: The encoder's input format.
    """
    count, height, width = clip.frames.shape[:3]
    size = _rounded_up(width), _rounded_up(height)
    scaled = size != (width, height) and size == (encoding.width, encoding.height)
    to = size if scaled else (width, height)
    remarks = []
    if scaled:
        remarks.append(fact(FactKind.SCALED_FIRST, before=[width, height], after=[*to]))
    if encoding.by_library and pixel_format in _BY_PYAV:
        remarks.append(fact(FactKind.COLOURS_BY_PYAV))
        data = _by_pyav(clip, encoding, pixel_format, to)
    else:
        data = _by_ffmpeg(clip, encoding, pixel_format, to)
    return Pictures(data, count, to[0], to[1], pixel_format, tuple(remarks))


def _rounded_up(pixels: int) -> int:
    return -(-pixels // MACRO_BLOCK) * MACRO_BLOCK


def _by_ffmpeg(clip: Clip, encoding: Encoding, pixel_format: str, to: tuple[int, int]) -> bytes:
    height, width = clip.frames.shape[1:3]
    scale = [] if to == (width, height) else [f"{to[0]}:{to[1]}"]
    if not pixel_format.startswith("rgb"):
        if encoding.matrix in CONVERTED_TO:
            scale.append(f"out_color_matrix={encoding.matrix}")
        if encoding.color_range == "pc":
            scale.append("out_range=pc")
    arguments = raw_input(width, height, "rgb24", 1)
    if scale:
        arguments += ["-vf", f"scale={':'.join(scale)}"]
    arguments += ["-vcodec", "rawvideo", "-pix_fmt", pixel_format, "-f", "rawvideo", "-"]
    return ffmpeg(arguments, np.ascontiguousarray(clip.frames).reshape(-1).data)


def _by_pyav(clip: Clip, encoding: Encoding, pixel_format: str, to: tuple[int, int]) -> bytes:
    import av
    from av.video.reformatter import ColorRange, Colorspace

    matrices = {"bt709": Colorspace.ITU709, "fcc": Colorspace.FCC, "smpte240m": Colorspace.SMPTE240M}
    matrices |= {"bt2020nc": Colorspace.BT2020}
    pictures = (
        av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(
            width=to[0],
            height=to[1],
            format=pixel_format,
            dst_colorspace=None if encoding.matrix == UNSPECIFIED else matrices.get(encoding.matrix),
            dst_color_range=ColorRange.JPEG if encoding.color_range == "pc" else None,
        )
        for frame in clip.frames
    )
    return b"".join(picture.to_ndarray().tobytes() for picture in pictures)
