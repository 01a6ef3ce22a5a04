"""NAL units: the pieces of an H.264 stream, as far as needed to find x264's note about itself and the level.

The bytes come from a stranger: everything here is bounded, and what does not parse yields nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_UNITS = 64
MAX_BYTES = 1 << 20
"""Of a packet, so many units of its first bytes: x264 writes its note before the first picture."""

_SEI, _SPS = 6, 7
_PROFILES_WITH_CHROMA_FORMAT = {100, 110, 122, 244}
_USER_DATA_UNREGISTERED = 5
_UUID_BYTES = 16
_AVCC_HEADER_BYTES = 7


def length_bytes(extradata: bytes) -> int:
    """Return how many bytes hold a NAL unit's length in the packets; 0 means Annex B, with start codes."""
    if len(extradata) >= _AVCC_HEADER_BYTES and extradata[0] == 1:
        return (extradata[4] & 3) + 1
    return 0


def units(data: bytes, prefix: int) -> Iterator[bytes]:
    """Yield the NAL units of a packet.

    Args:
        data: The packet.
        prefix: Bytes of each length; 0 for Annex B.
    """
    data = data[:MAX_BYTES]
    if not prefix:
        yield from (unit for unit in data.split(b"\0\0\1", MAX_UNITS)[1:] if unit)
        return
    position = 0
    for _ in range(MAX_UNITS):
        start = position + prefix
        position = start + int.from_bytes(data[position:start], "big")
        if not start < position <= len(data):
            return
        yield data[start:position]


def parameter_sets(extradata: bytes) -> Iterator[bytes]:
    """Yield the sequence parameter sets, and more, that a container keeps beside the packets."""
    if not length_bytes(extradata):
        yield from units(extradata, 0)
        return
    position = _AVCC_HEADER_BYTES - 1
    for _ in range(extradata[5] & 31):
        start = position + 2
        position = start + int.from_bytes(extradata[position:start], "big")
        yield extradata[start:position]


def level(unit: bytes) -> int | None:
    """Return the level of a sequence parameter set, times ten; None for other units."""
    is_set = len(unit) > 3 and unit[0] & 31 == _SPS  # noqa: PLR2004 - the header, then profile, constraints and level
    return unit[3] if is_set else None


def monochrome(unit: bytes) -> bool:
    """Return whether a sequence parameter set with the number 0 announces pictures without chroma.

    FFmpeg decodes them as 4:2:0. The number and the chroma format are Exp-Golomb codes, and a 1 is a zero.
    """
    return level(unit) is not None and unit[1] in _PROFILES_WITH_CHROMA_FORMAT and unit[4:5] >= b"\xc0"


def user_data(unit: bytes, uuid: bytes) -> Iterator[bytes]:
    """Yield the texts of an SEI unit's user-data messages under a UUID."""
    if not unit or unit[0] & 31 != _SEI:
        return
    payload = unit[1:].replace(b"\0\0\3", b"\0\0")  # the third byte is there only so that no start code appears
    position = 0
    while position < len(payload):
        kind, position = _summed(payload, position)
        size, position = _summed(payload, position)
        message = payload[position : position + size]
        if len(message) < size:
            return
        if kind == _USER_DATA_UNREGISTERED and message[:_UUID_BYTES] == uuid:
            yield message[_UUID_BYTES:]
        position += size


def _summed(payload: bytes, position: int) -> tuple[int, int]:
    """Read a number that is written as a sum: bytes of 255 and a last one below. Return it and what follows it."""
    total = 0
    while position < len(payload):
        total += payload[position]
        position += 1
        if payload[position - 1] != 0xFF:  # noqa: PLR2004 - as said
            break
    return total, position
