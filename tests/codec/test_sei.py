"""x264's note and the chroma format, read from H.264 streams as they are and as a stranger could make them."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacediff.codec import X264, read_encoding
from spacediff.codec.sei import is_monochrome
from spacediff.codec.x264 import MAX_NOTE_BYTES, UUID
from support.clips import moving_ball
from support.fuzzing import examples

START = b"\0\0\0\1"
SEI, PICTURES = 6, {1, 5}
NOTE = b"x264 - core 163 r1 abc - H.264/MPEG-4 AVC codec - options: %b"


def encoded(path: Path, *options: str) -> Path:
    """Encode three frames with the ffmpeg program, another build than the one that reads them."""
    clip = moving_ball(3)
    pictures = ["-f", "rawvideo", "-s", "96x64", "-pix_fmt", "rgb24", "-r", "8", "-i", "-"]
    chroma = [] if "-pix_fmt" in options else ["-pix_fmt", "yuv420p"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *pictures, "-vcodec", "libx264", *chroma]
    subprocess.run([*command, *options, str(path)], input=clip.frames.tobytes(), check=True, timeout=60)
    return path


def message(text: bytes, uuid: bytes = UUID) -> bytes:
    """Pack a user-data message into an SEI unit, by ITU-T H.264, 7.3.2.3.1 and 7.4.1."""
    body = uuid + text
    plain = b"\x05" + b"\xff" * (len(body) // 255) + bytes([len(body) % 255]) + body + b"\x80"
    return b"\x06" + re.sub(rb"\0\0(?=[\x00-\x03])", b"\0\0\3", plain)


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The units of a raw stream without any SEI unit."""
    data = encoded(tmp_path_factory.mktemp("sei") / "a.h264").read_bytes()
    return [unit for unit in re.split(rb"\0\0\0?\x01", data) if unit and unit[0] & 31 != SEI]


def stream(path: Path, *units: bytes) -> Path:
    path.write_bytes(b"".join(START + unit for unit in units))
    return path


def options_of(path: Path) -> str | None:
    note = read_encoding(path).x264
    return note.options if note else None


@settings(max_examples=examples(40))
@given(text=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=600), number=st.integers(0, 1023))
def test_the_note_is_read_whole(
    tmp_path_factory: pytest.TempPathFactory, silent: list[bytes], text: str, number: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "note.h264"
    note = b"x264 - core %d r1 abc - H.264 - options: a=%b\0" % (number, text.encode())
    stream(path, *silent[:2], message(note), *silent[2:])
    assert read_encoding(path).x264 == X264(number, "r1 abc", f"a={text}")


def test_a_stream_without_a_note_has_none(tmp_path: Path, silent: list[bytes]) -> None:
    encoding = read_encoding(stream(tmp_path / "a.h264", *silent))
    assert encoding.x264 is None
    assert encoding.level == 10


@pytest.mark.parametrize(
    "damaged",
    [
        message(NOTE % b"crf=20\xff"),
        message(NOTE % b"crf=20", uuid=bytes(16)),
        message(NOTE % b"crf=20")[:60],
        message(NOTE % b"")[:12],
        message(NOTE % b"crf=20").replace(b"core 163", b"core ???"),
        message(NOTE.replace(b"- H.264", b"x" * 2 * MAX_NOTE_BYTES) % b"crf=20"),
    ],
    ids=["not ASCII", "another kind of message", "cut off", "cut off in the UUID", "no core", "longer than a note"],
)
def test_a_damaged_note_is_none_and_the_next_one_counts(tmp_path: Path, silent: list[bytes], damaged: bytes) -> None:
    assert options_of(stream(tmp_path / "a.h264", *silent[:2], damaged, *silent[2:])) is None
    whole = message(NOTE % b"crf=20.0")
    assert options_of(stream(tmp_path / "b.h264", *silent[:2], damaged, whole, *silent[2:])) == "crf=20.0"


def test_of_several_notes_the_first_counts(tmp_path: Path, silent: list[bytes]) -> None:
    notes = [message(NOTE % b"crf=%d" % n) for n in range(3)]
    assert options_of(stream(tmp_path / "a.h264", *silent[:2], *notes, *silent[2:])) == "crf=0"


def avi(path: Path, source: Path, *first: bytes, extradata: bytes) -> Path:
    """Put some packets, then those of a raw stream, into a container that keeps them and the extradata as they are."""
    with av.open(source) as read, av.open(path, "w") as written:
        target = written.add_stream_from_template(read.streams.video[0])
        target.codec_context.extradata = extradata
        packets = [*first, *(bytes(packet) for packet in read.demux(video=0) if packet.size)]
        for n, content in enumerate(packets):
            packet: av.Packet[Any] = av.Packet(content)
            packet.stream, packet.time_base, packet.is_keyframe = target, Fraction(1, 8), True
            packet.pts = packet.dts = n
            written.mux(packet)
    return path


def test_a_note_that_stands_in_the_extradata_alone_is_found(tmp_path: Path, silent: list[bytes]) -> None:
    source = stream(tmp_path / "a.h264", *silent)
    sets = b"".join(START + unit for unit in (*silent[:2], message(NOTE % b"crf=20.0")))
    assert options_of(avi(tmp_path / "a.avi", source, extradata=sets)) == "crf=20.0"


def test_a_note_after_a_damaged_picture_is_found(tmp_path: Path, silent: list[bytes]) -> None:
    source = stream(tmp_path / "a.h264", *silent[:2], message(NOTE % b"crf=20.0"), *silent[2:])
    sets = b"".join(START + unit for unit in silent[:2])
    damaged = START + b"\x65" + bytes(40)
    assert options_of(avi(tmp_path / "a.avi", source, damaged, damaged, extradata=sets)) == "crf=20.0"


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.h264"])
@pytest.mark.parametrize(
    ("pixel_format", "gray"), [("gray", True), ("yuv420p", False), ("yuv422p", False), ("yuv444p", False)]
)
def test_only_pictures_without_chroma_are_gray(tmp_path: Path, name: str, pixel_format: str, *, gray: bool) -> None:
    encoding = read_encoding(encoded(tmp_path / name, "-pix_fmt", pixel_format))
    assert encoding.pixel_format == ("gray" if gray else pixel_format)


@pytest.mark.parametrize(
    "extradata", [b"", b"\1", b"\1" * 8, START, START + b"\x67\x64", b"\0\0\1", b"\x67\x64\0\x0a\xff"]
)
def test_extradata_that_breaks_off_announces_nothing(extradata: bytes) -> None:
    assert not is_monochrome(extradata)
