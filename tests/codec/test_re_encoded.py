from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from spacediff.clip import Clip, decode_stream, read_clip
from spacediff.codec import encode_like, export_to_video, is_re_encoded, read_encoding
from spacediff.codec.ffmpeg import ffmpeg_command, while_it_writes
from spacediff.codec.x264 import differences
from spacediff.errors import EncodingFailed, VideoNotReadable
from spacediff.record import FactKind, fact
from support.clips import with_frames
from support.encoders import by_ffmpeg, by_pyav, grainy, put_through


# The same bytes again
@pytest.mark.parametrize(
    ("quality", "fps"), [(2.0, Fraction(8)), (5.0, Fraction(8)), (8.0, Fraction(2997, 100)), (10.0, Fraction(16))]
)
def test_repeats_diffusers_own_export(tmp_path: Path, quality: float, fps: Fraction) -> None:
    from diffusers.utils import export_to_video as peer

    clip = Clip(grainy().frames, fps)
    images = [PIL.Image.fromarray(frame) for frame in clip.frames]
    peer(images, str(tmp_path / "hosted.mp4"), fps=float(fps), quality=quality)
    match, same = put_through(clip, tmp_path / "hosted.mp4")
    assert match.exact, match.differences
    assert same
    assert match.differences == ()


OPTIONS = [
    "-preset ultrafast",
    "-preset superfast -tune film -threads 4",
    "-preset slower -tune grain -threads 8",
    "-preset veryslow -x264-params psy-rd=0.2,0.1",
    "-tune stillimage -profile:v baseline -level 3.1",
    "-tune animation -intra-refresh 1",
    "-tune psnr -x264-params keyint=infinite:scenecut=0:rc-lookahead=5",
    "-tune fastdecode -g 4 -keyint_min 2 -refs 1",
    "-tune zerolatency",
    "-qp 20 -bf 0",
    "-crf 0",
    "-b:v 200k -threads 4 -thread_type slice",
    "-maxrate 60k -bufsize 60k -threads 1",
    "-bf 7 -b_strategy 2 -x264-params open-gop=1:keyint=5:b-pyramid=strict:b-bias=20:aq-mode=3:aq-strength=0.7",
    "-x264-params me=umh:merange=32:subme=9:trellis=0:nr=100:no-dct-decimate=1:deadzone-inter=4:deadzone-intra=3",
    "-x264-params me=esa:direct=temporal:weightp=1:no-weightb=1:deblock=1,-2:chroma-qp-offset=5",
    "-x264-params partitions=p8x8,p4x4,i4x4:8x8dct=0:no-deblock=1:no-chroma-me=1",
    "-x264-params cqm=jvt:zones=0,3,q=20/4,6,b=2:qcomp=0.8:ipratio=1.2:mbtree=0:pbratio=1.1",
    "-x264-params slices=2:constrained-intra=1:tff=1",
    "-pix_fmt yuv444p -tune film",
    "-pix_fmt yuv420p10le",
    "-pix_fmt gray",
    "-vcodec libx264rgb -pix_fmt rgb24",
    "-pix_fmt yuvj420p",
    "-vf scale=out_color_matrix=bt709 -colorspace bt709 -color_primaries bt709 -color_trc bt709",
]


@pytest.mark.parametrize("options", OPTIONS)
def test_repeats_ffmpeg(tmp_path: Path, options: str) -> None:
    clip = grainy()
    match, same = put_through(clip, by_ffmpeg(clip, tmp_path / "hosted.mp4", *options.split()))
    assert match.exact, match.differences
    assert same


@pytest.mark.parametrize(
    ("pixel_format", "options"),
    [
        ("yuv420p", {}),
        ("yuv420p", {"crf": "18", "preset": "veryslow", "x264": "me=umh:psy-rd=0.7,0.2:bframes=5:no-mixed-refs=1"}),
        ("yuv444p", {"qp": "24"}),
    ],
)
def test_repeats_pyav(tmp_path: Path, pixel_format: str, options: dict[str, str]) -> None:
    clip = grainy()
    match, same = put_through(clip, by_pyav(clip, tmp_path / "hosted.mp4", pixel_format, **options))
    assert match.exact, match.differences
    assert same
    assert fact(FactKind.COLOURS_BY_PYAV) in match.path


def test_the_colour_conversion_is_part_of_the_encoding(tmp_path: Path) -> None:
    clip = grainy()
    encoding = read_encoding(by_pyav(clip, tmp_path / "hosted.mp4"))
    encode_like(clip, replace(encoding, encoder="Lavc62.28.101 libx264"), tmp_path / "ours.mp4")
    assert not np.array_equal(read_clip(tmp_path / "ours.mp4").frames, read_clip(tmp_path / "hosted.mp4").frames)


@pytest.mark.parametrize(
    ("option", "other"),
    [
        ("crf=25.0", "crf=26.0"),
        ("aq=1:1.00", "aq=1:0.90"),
        ("deadzone=21,11", "deadzone=20,11"),
        ("psy_rd=1.00:0.00", "psy_rd=0.90:0.00"),
        ("subme=7", "subme=6"),
        ("analyse=0x3:0x113", "analyse=0x3:0x111"),
        ("chroma_qp_offset=-2", "chroma_qp_offset=-3"),
    ],
)
def test_another_option_is_another_clip(tmp_path: Path, option: str, other: str) -> None:
    clip = grainy()
    encoding = read_encoding(by_ffmpeg(clip, tmp_path / "hosted.mp4", "-crf", "25"))
    assert encoding.x264 is not None
    assert option in encoding.x264.options
    twin = replace(encoding, x264=replace(encoding.x264, options=encoding.x264.options.replace(option, other)))
    encode_like(clip, twin, tmp_path / "twin.mp4")
    assert not np.array_equal(read_clip(tmp_path / "twin.mp4").frames, read_clip(tmp_path / "hosted.mp4").frames)
    written = read_encoding(tmp_path / "twin.mp4").x264
    name, hosted = option.split("=", 1)
    local = other.split("=", 1)[1]
    assert differences(encoding.x264, written, {}) == (
        fact(FactKind.X264_OPTION_DIFFERS, name=name, local=local, hosted=hosted),
    )


def test_one_changed_level_shows(tmp_path: Path) -> None:
    clip = grainy()
    changed = clip.frames.copy()
    changed[4, :32] = np.clip(changed[4, :32].astype(int) + 3, 0, 255)
    match, same = put_through(with_frames(clip, changed), by_ffmpeg(clip, tmp_path / "hosted.mp4"))
    assert match.exact
    assert not same


@pytest.mark.parametrize(("height", "width"), [(60, 90), (64, 90)])
def test_scales_as_imageio_does(tmp_path: Path, height: int, width: int, caplog: pytest.LogCaptureFixture) -> None:
    clip = grainy(5, height, width)
    with caplog.at_level("ERROR"):
        export_to_video(clip, tmp_path / "hosted.mp4", quality=5)
    match, same = put_through(clip, tmp_path / "hosted.mp4")
    assert match.exact
    assert same
    assert fact(FactKind.SCALED_FIRST, before=[width, height], after=[96, 64]) in match.path


def test_leaves_any_other_size_alone(tmp_path: Path) -> None:
    encoding = read_encoding(by_ffmpeg(grainy(3, 128, 192), tmp_path / "hosted.mp4"))
    match = encode_like(grainy(3), encoding, tmp_path / "ours.mp4")
    assert read_clip(tmp_path / "ours.mp4").frames.shape == (3, 64, 96, 3)
    assert FactKind.SCALED_FIRST not in {each.kind for each in match.path}


# Which of two files is the other one, encoded again
@pytest.mark.parametrize("encode", [by_ffmpeg, by_pyav])
def test_a_file_encoded_again_is_found_whoever_encoded_it(tmp_path: Path, encode: Callable[..., Path]) -> None:
    first = by_ffmpeg(grainy(), tmp_path / "first.mp4")
    again = encode(read_clip(first), tmp_path / "again.mp4")
    assert is_re_encoded(first, again)
    assert not is_re_encoded(again, first)


def test_a_file_whose_last_frame_differs_is_not_the_other_one_encoded_again(tmp_path: Path) -> None:
    first = by_ffmpeg(grainy(), tmp_path / "first.mp4")
    clip = read_clip(first)
    changed = clip.frames.copy()
    changed[-1, :32] = 255 - changed[-1, :32]
    assert not is_re_encoded(first, by_ffmpeg(with_frames(clip, changed), tmp_path / "again.mp4"))
    assert not is_re_encoded(first, by_ffmpeg(with_frames(clip, clip.frames[:-1]), tmp_path / "shorter.mp4"))


def test_an_encoder_ends_with_the_comparison_and_one_that_refuses_gives_no_frames(tmp_path: Path) -> None:
    endless = "import time; print('x', flush=True); time.sleep(600)"
    with while_it_writes([sys.executable, "-c", endless], bytes(10**7)) as stream:
        assert stream.read(1) == b"x"
    with while_it_writes(ffmpeg_command(["-no-such-option"]), b"") as stream, pytest.raises(VideoNotReadable):
        next(decode_stream(stream))
    with pytest.raises(EncodingFailed, match="cannot be started"), while_it_writes([str(tmp_path / "none")], b""):
        pass
