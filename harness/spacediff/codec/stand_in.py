"""A stand-in for a codec where none is used, as with pictures: how much of a picture people give away unseen."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import numpy as np

from spacediff.clip import Frame
from spacediff.codec.stills import StillEncoder

STAND_IN_QUALITY = 95
"""JPEG quality of Pillow, without subsampling of colours: what a picture is usually saved with where losses matter."""


def through_stand_in(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield frames as JPEG at `STAND_IN_QUALITY` gives them back, uint8 `[H, W, 3]`.

    Raises:
        EncodingFailed: Pillow refuses a frame.
    """
    import PIL.Image

    encoder = StillEncoder("jpeg", {"quality": STAND_IN_QUALITY, "subsampling": 0})
    for frame in frames:
        yield np.array(
            PIL.Image.open(io.BytesIO(encoder.encode(frame)))
        )  # one that may be written to, as torch wants it
