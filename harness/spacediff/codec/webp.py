"""Which quality a WebP file was encoded with, found by trying the usual ones.

The key insight: libwebp derives the quantiser in a file's header from the quality and the picture. So of the usual
qualities, the one that gives the decoded picture the file's own quantiser again is the one that was used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spacediff.clip import Frame
from spacediff.errors import PictureNotReadable

USUAL_QUALITIES = (80, 75, 90, 95, 100, 85, 70)
"""Pillow's default, which Gradio uses; libwebp's; and those that scripts name."""

_TOLERANCE = 2
"""Steps by which a quantiser may differ: the decoded picture is not quite the one that was encoded."""
_FRAME_HEADER = 10  # bytes before the bit stream: frame tag, start code and size
_KEY_FRAME_BIT = 1


@dataclass(frozen=True)
class WebpHeader:
    """What the header of a WebP file says about its quantisation.

    Attributes:
        lossless: Whether it is VP8L, which loses nothing.
        quantiser: The base quantiser index, 0 to 127.
        filtered: Whether the deblocking filter is the simple one, and its sharpness.
    """

    lossless: bool
    quantiser: int = 0
    filtered: tuple[int, int] = (0, 0)


def read_webp_header(content: bytes) -> WebpHeader:
    """Read the header of the first picture of a WebP file.

    Source: the WebP container specification, and RFC 6386, section 19.2.

    Raises:
        PictureNotReadable: It has no header of a picture.
    """
    for name, data in _chunks(content):
        if name == b"VP8L":
            return WebpHeader(lossless=True)
        if name == b"VP8 " and len(data) > _FRAME_HEADER and not data[0] & _KEY_FRAME_BIT:
            return _frame_header(data[_FRAME_HEADER:])
    raise PictureNotReadable("the WebP file has no picture")


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """List the chunks of a RIFF file up to the first picture; an animation's frames hold chunks themselves."""
    found, at = [], 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"ANMF":
            at += 8 + 16  # into the frame, past its position and duration
            continue
        found.append((name, content[at + 8 : at + 8 + size]))
        if name in {b"VP8 ", b"VP8L"}:
            break
        at += 8 + size + (size & 1)
    return found


def _frame_header(data: bytes) -> WebpHeader:
    """Read the frame header of a key frame, as far as its quantiser."""
    bits = _BoolDecoder(data)
    bits.literal(2)  # colour space, clamping
    if bits.flag():  # segmentation
        has_map, has_data = bits.flag(), bits.flag()
        if has_data:
            bits.flag()  # absolute values
            for size in (7, 7, 7, 7, 6, 6, 6, 6):  # quantisers, then levels of the filter
                bits.signed(size)
        for _ in range(3 if has_map else 0):
            if bits.flag():
                bits.literal(8)
    simple = bits.literal(1)
    bits.literal(6)  # the filter's level depends on the picture
    sharpness = bits.literal(3)
    if bits.flag() and bits.flag():  # adjustments of the filter
        for _ in range(8):
            bits.signed(6)
    bits.literal(2)  # partitions
    return WebpHeader(lossless=False, quantiser=bits.literal(7), filtered=(simple, sharpness))


class _BoolDecoder:
    """The boolean entropy decoder of VP8 for even chances, RFC 6386, section 7."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._value = int.from_bytes(data[:2].ljust(2, b"\0"), "big")
        self._range, self._shifted, self._at = 255, 0, 2

    def literal(self, count: int) -> int:
        """Read an unsigned number of so many bits."""
        number = 0
        for _ in range(count):
            number = 2 * number + self.flag()
        return number

    def signed(self, count: int) -> int:
        """Read an optional number with its sign; 0 where it is left out."""
        if not self.flag():
            return 0
        number = self.literal(count)
        return -number if self.flag() else number

    def flag(self) -> bool:
        """Read a bit."""
        split = 1 + ((self._range - 1) * 128 >> 8)
        found = self._value >= split << 8
        self._range = self._range - split if found else split
        self._value -= split << 8 if found else 0
        while self._range < 128:  # noqa: PLR2004 - half of a byte's range
            self._value, self._range, self._shifted = self._value << 1, self._range << 1, self._shifted + 1
            if self._shifted == 8:  # noqa: PLR2004 - bits of a byte
                self._value |= self._data[self._at] if self._at < len(self._data) else 0
                self._shifted, self._at = 0, self._at + 1
        return found


def usual_quality(header: WebpHeader, picture: Frame, encode: Callable[[Frame, int], bytes]) -> int | None:
    """Find the usual quality that gives a decoded picture the quantiser of its own file.

    Args:
        header: The header of the file.
        picture: The file's picture, decoded.
        encode: Encodes a picture with a quality.

    Returns:
        None where no usual quality does.
    """
    found, least = None, _TOLERANCE + 1
    for quality in USUAL_QUALITIES:
        again = read_webp_header(encode(picture, quality))
        distance = abs(header.quantiser - again.quantiser)
        if header.filtered == again.filtered and distance < least:
            found, least = quality, distance
    return found
