"""Conversion between RGB and the pixel formats of videos.

The key insight is that it is part of the measurement: swscale's default YUV to RGB conversion darkens by about one
level, and an ignored BT.709 tag changes values by up to 25 levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacediff.clip.frames import Frame

if TYPE_CHECKING:
    import av

_PLANAR_IS_EQUAL = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv420p10le"}
"""Pixel formats whose accurate conversion to planes of RGB gives the bytes of that to interleaved RGB. Only the former
is written in assembler: it takes two fifths of the time."""


def rgb(picture: av.VideoFrame, *, accurate: bool) -> Frame:
    """Convert a decoded picture to RGB; accurately through planes, where swscale gives the same bytes sooner."""
    if not accurate or picture.format.name not in _PLANAR_IS_EQUAL:
        return np.asarray(converted(picture, "rgb24", accurate=accurate).to_ndarray(), dtype=np.uint8)
    import cv2

    green, blue, red = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in converted(picture, "gbrp").planes
    )
    frame: Frame = cv2.merge([red, green, blue])
    return frame


def converted(
    picture: av.VideoFrame, pixel_format: str, to_colorspace: int | None = None, *, accurate: bool = True
) -> av.VideoFrame:
    """Convert between pixel formats, according to the tags of range and matrix; by default with accurate rounding."""
    from av.video.reformatter import Interpolation

    exactly = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    return picture.reformat(
        format=pixel_format,
        dst_colorspace=to_colorspace,
        interpolation=Interpolation.BICUBIC | exactly if accurate else Interpolation.BICUBIC,
    )
