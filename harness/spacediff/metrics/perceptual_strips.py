"""Strips of a large frame in which LPIPS is measured, one at a time: its features take 100 bytes for each pixel.

The key insight: a feature depends on the pixels near it alone, and the features of AlexNet's layers are 4, 8 and 16
pixels apart. So a strip that begins at a multiple of 16 rows has the features of the whole frame, but for a few at its
upper and lower edge, where the padding of the convolutions is in place of the rows beyond. They stay within a margin.
Each feature is taken from exactly one strip, and the shares add up to the distance of the whole frames, up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from spacediff.clip import Frame
from spacediff.clip.bands import MOST_PIXELS

_STEP = 16
"""Pixels from one feature to the next in the last three layers."""
_ROWS = (4, 2, 1, 1, 1)
"""Rows of features of each layer in so many pixels."""
_ABOVE, _BELOW = 5, 6
"""Rows of these features, at the upper and lower edge of a strip, that the padding of the layers reaches."""


@dataclass(frozen=True)
class Strip:
    """A strip of a frame.

    Attributes:
        rows: Its rows, with the margins.
        owned: For each layer, which of the strip's features count, of those row by row `[h w]`.
        shares: For each layer, the share that these are of the features of the whole frame.
    """

    rows: slice
    owned: tuple[slice, ...]
    shares: tuple[float, ...]


def strips_of(frame: Frame, most_pixels: int = MOST_PIXELS) -> list[Strip]:
    """Return the strips of a frame, from above; a single one for a frame that is small enough.

    Args:
        frame: uint8 `[H, W, 3]`.
        most_pixels: Of a frame that is measured as a whole. A strip of a larger one owns about half as many.
    """
    height, width, _ = frame.shape
    sizes, columns = _sizes(height), _sizes(width)
    last = sizes[-1]
    parts = 1 if height * width <= most_pixels else min(ceil(2 * height * width / most_pixels), last)
    strips = []
    for part in range(parts):
        first, end = last * part // parts, last * (part + 1) // parts
        top = max(first - _ABOVE, 0) * _STEP
        bottom = height if end == last else min((end + _BELOW) * _STEP, height)
        owned, shares = [], []
        for rows, across, each in zip(sizes, columns, _ROWS, strict=True):
            begin, stop = first * each, rows if end == last else end * each
            above = top * each // _STEP
            owned.append(slice((begin - above) * across, (stop - above) * across))
            shares.append((stop - begin) / rows)
        strips.append(Strip(slice(top, bottom), tuple(owned), tuple(shares)))
    return strips


def _sizes(side: int) -> tuple[int, int, int, int, int]:
    """Return how many features each layer of AlexNet has along a side: convolutions of 11 and 5, poolings between."""
    first = (side + 4 - 11) // 4 + 1
    second = (first - 3) // 2 + 1
    third = (second - 3) // 2 + 1
    return first, second, third, third, third
