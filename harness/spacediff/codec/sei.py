"""What an H.264 stream says beyond its codec parameters: x264's note about itself, and whether there is chroma.

The note is an SEI message (supplemental enhancement information), which FFmpeg gives as side data of the decoded frame.
The bytes come from a stranger: what is decoded is bounded, and what does not parse yields nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from spacediff.clip import MAX_PIXELS_PER_FRAME, packets_of
from spacediff.codec.x264 import MAX_NOTE_BYTES, UUID, X264, parse_note

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.sidedata.sidedata import SideDataContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_MAX_FRAMES = 3
"""x264 writes its note before the first picture."""
_MAX_PACKETS = 40
"""A frame is decoded after at most 16 others, of which each may be two fields in packets of their own."""

_START_CODE = b"\0\0\1"
_AVCC_VERSION = b"\1"
_AVCC_HEADER_BYTES = 8
"""Before the first parameter set: six of the record, two of the set's length (ISO/IEC 14496-15, 5.3.3.1.2)."""
_SEQUENCE_PARAMETER_SET = 7
_TWO_ZEROS = bytes([0b1100_0000])
_PROFILES_WITH_CHROMA_FORMAT = {bytes([number]) for number in (100, 110, 122, 244)}


def x264_note(container: InputContainer, stream: VideoStream) -> X264 | None:
    """Decode the first frames until one carries x264's note; None when none does.

    Raises:
        av.FFmpegError: The container breaks off before the first frames.
    """
    frames = islice(_first_frames(container, stream), _MAX_FRAMES)
    notes = (_note(message) for frame in frames for message in _user_data(frame))
    return next((note for note in notes if note), None)


def is_monochrome(extradata: bytes) -> bool:
    """Whether the first sequence parameter set announces pictures without chroma.

    FFmpeg decodes them as 4:2:0 and keeps the chroma format to itself, so it is read here. It follows the number of the
    set; both are Exp-Golomb codes, in which a 1 bit is a zero. A set with another number than 0 is not looked into.

    Args:
        extradata: The parameter sets that a container keeps next to the packets, in either packing.
    """
    if extradata.startswith(_AVCC_VERSION):
        units = [extradata[_AVCC_HEADER_BYTES:]]
    else:
        units = extradata.split(_START_CODE)[1:]
    first = next((unit for unit in units if unit and unit[0] & 31 == _SEQUENCE_PARAMETER_SET), b"")
    profile, chroma = first[1:2], first[4:5]  # constraints and level stand between them
    return profile in _PROFILES_WITH_CHROMA_FORMAT and chroma >= _TWO_ZEROS


def _first_frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yield the frames of the first packets; a damaged packet yields none."""
    import av

    context = stream.codec_context
    context.options = {**context.options, "max_pixels": str(MAX_PIXELS_PER_FRAME)}
    with packets_of(container, stream) as packets:
        for packet in _with_extradata(islice(packets, _MAX_PACKETS), stream):
            try:
                yield from context.decode(packet)
            except av.FFmpegError:
                continue


def _with_extradata(packets: Iterator[Packet[VideoStream]], stream: VideoStream) -> Iterator[Packet[Any]]:
    """Put Annex B extradata before the packets of key frames: the decoder looks there only for parameter sets."""
    from av.bitstream import BitStreamFilterContext

    if not (stream.codec_context.extradata or b"").startswith(b"\0"):
        yield from packets
        return
    joining = BitStreamFilterContext("dump_extra", stream)
    for packet in packets:
        yield from joining.filter(packet)


def _user_data(frame: VideoFrame) -> list[bytes]:
    from av.sidedata.sidedata import Type

    try:
        found = list(cast("SideDataContainer", frame.side_data))  # PyAV's stub has another type
    except ValueError:  # PyAV does not know one of the kinds
        return []
    return [bytes(data) for data in found if data.type is Type.SEI_UNREGISTERED]


def _note(message: bytes) -> X264 | None:
    """Read a user-data message, which begins with the UUID of its kind."""
    return parse_note(message[len(UUID) :][:MAX_NOTE_BYTES]) if message.startswith(UUID) else None
