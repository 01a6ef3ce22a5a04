from __future__ import annotations

import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacediff.clip import read_clip
from spacediff.codec import X264, Encoding, encode_like, read_encoding
from spacediff.codec.x264 import parse_note, repeat
from spacediff.errors import NotMeasuredError
from support.encoders import by_ffmpeg, by_pyav, grainy
from support.fuzzing import examples

# Printed by ffmpeg 6.1 of Ubuntu 24.04 and by Handbrake 1.7, as found in public bug reports.
UBUNTU_NOTE = (
    b"x264 - core 164 r3108 31e19f9 - H.264/MPEG-4 AVC codec - Copyleft 2003-2023 - "
    b"http://www.videolan.org/x264.html - options: cabac=1 ref=3 rc=crf mbtree=1 crf=23.0 aq=1:1.00\0"
)


# What a file says
def test_reads_how_a_file_was_encoded(tmp_path: Path) -> None:
    colours = "colormatrix=bt709:transfer=bt709:fullrange=on"
    path = by_ffmpeg(grainy(), tmp_path / "a.mp4", "-crf", "20", "-level", "3.1", "-x264-params", colours)
    encoding = read_encoding(path)
    raw = path.read_bytes()
    printed = raw[raw.find(b"options: ") + 9 :].split(b"\0")[0].decode()  # as `strings` shows it
    assert encoding.x264 is not None
    assert encoding.x264.options == printed
    assert encoding.x264.settings["crf"] == "20.0"
    assert encoding.x264.core == int(raw[raw.find(b"x264 - core ") + 12 :][:3])
    assert (encoding.codec, encoding.pixel_format, encoding.width, encoding.height) == ("h264", "yuvj420p", 96, 64)
    assert encoding.fps == Fraction(8)
    assert (encoding.frames, encoding.level) == (9, 31)
    assert (encoding.color_range, encoding.matrix, encoding.transfer) == ("pc", "bt709", "bt709")
    assert encoding.primaries == "unspecified"
    assert "mp4" in encoding.container
    assert pickle.loads(pickle.dumps(encoding)) == encoding  # noqa: S301 - our own bytes
    assert hash(encoding)


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.avi", "a.h264", "a.mov"])
def test_finds_the_note_in_every_container(tmp_path: Path, name: str) -> None:
    clip = grainy()
    hosted = by_ffmpeg(clip, tmp_path / name, "-crf", "25")
    encoding = read_encoding(hosted)
    assert encoding.x264 is not None
    assert encoding.x264.settings["crf"] == "25.0"
    assert encoding.fps == Fraction(8)
    assert encoding.level == 10
    match = encode_like(clip, encoding, tmp_path / "ours.mp4")
    assert match.exact
    assert np.array_equal(read_clip(tmp_path / "ours.mp4").frames, read_clip(hosted).frames)


def test_knows_ffmpeg_from_its_libraries(tmp_path: Path) -> None:
    assert not read_encoding(by_ffmpeg(grainy(), tmp_path / "a.mp4")).by_library
    assert read_encoding(by_pyav(grainy(), tmp_path / "b.mp4")).by_library


def test_reads_a_note_of_another_build() -> None:
    note = parse_note(UBUNTU_NOTE)
    assert note == X264(164, "r3108 31e19f9", "cabac=1 ref=3 rc=crf mbtree=1 crf=23.0 aq=1:1.00")
    for other in (
        b"",
        b"x264 - core",
        UBUNTU_NOTE.replace(b"cabac", b"\xff"),
        UBUNTU_NOTE.replace(b"core 1", b"core x"),
    ):
        assert parse_note(other) is None


@settings(max_examples=examples(60))
@given(data=st.binary(max_size=2000))
def test_arbitrary_bytes_say_nothing(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.mp4"
    path.write_bytes(data)
    try:
        found = read_encoding(path).x264
    except NotMeasuredError:
        found = None
    assert found is None


@settings(max_examples=examples(50))
@given(changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=12), cut=st.integers(0, 6000))
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int
) -> None:
    base = tmp_path_factory.getbasetemp()
    whole = base / "whole.mp4"
    if not whole.exists():
        by_ffmpeg(grainy(2), whole, "-movflags", "+faststart")
    data = bytearray(whole.read_bytes())
    for position, value in changes:
        data[position % len(data)] = value
    (base / "damaged.mp4").write_bytes(data[: cut or None])
    found: Encoding | str
    try:
        found = read_encoding(base / "damaged.mp4")
    except NotMeasuredError as error:
        found = error.message
    assert isinstance(found, Encoding) or "\n" not in found


_WORDS = st.sampled_from(
    [
        "zones",
        "stats",
        "dump_yuv",
        "cqmfile",
        "cqm",
        "me",
        "crf",
        "log",
        "psy_rd",
        "chroma_qp_offset",
        "aq",
        "psy",
        "analyse",
    ]
)


@given(
    pairs=st.lists(
        st.tuples(
            _WORDS | st.text(st.characters(codec="ascii"), max_size=9),
            st.text(st.characters(codec="ascii"), max_size=40),
        ),
        max_size=8,
    )
)
def test_a_strangers_options_reach_no_file(pairs: list[tuple[str, str]]) -> None:
    asked = repeat(X264(165, "", " ".join(f"{name}={value}" for name, value in pairs)), full_chroma=False)
    assert not {"stats", "dump-yuv", "dump_yuv", "cqmfile", "log", "opencl-clbin"} & set(asked.parameters)
    assert set(asked.parameters.get("cqm", "flat")) <= set("flatjvt")
    assert all(char not in asked.joined for char in "\\'\"; \n")


@pytest.mark.parametrize("zones", ["0,3,q=20,stats=x", "0,3,q=20,dump-yuv=/x", "0,3,cqmfile=x", "0,3,q=20:stats=x"])
def test_zones_carry_no_other_option(zones: str) -> None:
    asked = repeat(X264(165, "", f"crf=20.0 zones={zones}"), full_chroma=False)
    assert asked.parameters == {"crf": "20.0"}
    assert set(asked.lost) == {"zones"}
