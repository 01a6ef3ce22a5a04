"""Large frames: of those, a part is converted to floating point at once, and fewer things are done at the same time."""

from __future__ import annotations

from collections.abc import Iterator

from spacediff.clip.frames import Frame

MOST_PIXELS = 1920 * 1088
"""Of a frame that is not large."""


def is_large(height: int, width: int) -> bool:
    """Whether a frame has more pixels than one of 1920x1088."""
    return height * width > MOST_PIXELS


def bands(frame: Frame) -> Iterator[slice]:
    """Yield the rows of a frame, uint8 `[H, W, 3]`, that are converted at once: all of a frame that is not large."""
    height, width = frame.shape[:2]
    rows = max(MOST_PIXELS // width, 1) if is_large(height, width) else height
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))
