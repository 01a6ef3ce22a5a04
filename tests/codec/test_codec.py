from __future__ import annotations

import os
import pickle
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacediff.clip import Clip, read_clip
from spacediff.codec import (
    X264,
    Encoding,
    Match,
    encode_like,
    encoders,
    export_to_video,
    planted_resolution,
    read_encoding,
    resolution,
)
from spacediff.codec.resolution import planted
from spacediff.codec.x264 import differences, parse_note, repeat
from spacediff.errors import NotMeasuredError
from support.clips import moving_ball, with_frames
from support.fuzzing import examples

# Printed by ffmpeg 6.1 of Ubuntu 24.04 and by Handbrake 1.7, as found in public bug reports.
UBUNTU_NOTE = (
    b"x264 - core 164 r3108 31e19f9 - H.264/MPEG-4 AVC codec - Copyleft 2003-2023 - "
    b"http://www.videolan.org/x264.html - options: cabac=1 ref=3 rc=crf mbtree=1 crf=23.0 aq=1:1.00\0"
)


def grainy(frames: int = 9, height: int = 64, width: int = 96) -> Clip:
    """A clip on which every decision of an encoder shows."""
    clip = moving_ball(frames, height, width)
    grain = np.random.default_rng(0).integers(-25, 26, clip.frames.shape)
    return with_frames(clip, clip.frames + grain)


def by_ffmpeg(clip: Clip, path: Path, *options: str) -> Path:
    """Encode as a host would who calls the ffmpeg program himself."""
    height, width = clip.frames.shape[1:3]
    pictures = ["-f", "rawvideo", "-s", f"{width}x{height}", "-pix_fmt", "rgb24", "-r", str(clip.fps), "-i", "-"]
    codec = [] if "-vcodec" in options else ["-vcodec", "libx264"]
    chroma = [] if "-pix_fmt" in options else ["-pix_fmt", "yuv420p"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *pictures, *codec, *chroma, *options, str(path)]
    subprocess.run(command, input=clip.frames.tobytes(), check=True, timeout=60)
    return path


def by_pyav(clip: Clip, path: Path, pixel_format: str = "yuv420p", **options: str) -> Path:
    """Encode as a host would who calls FFmpeg's libraries.

    Without mbtree: on AVX-512 it lets unwritten memory decide, and a test process has been used before.
    """
    parameters = f"mbtree=0:{options.pop('x264', 'bframes=3')}"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=clip.fps)
        stream.height, stream.width = clip.frames.shape[1:3]
        stream.pix_fmt = pixel_format
        stream.codec_context.options = {"x264-params": parameters, **options}
        for frame in clip.frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def put_through(clip: Clip, hosted: Path) -> tuple[Match, bool]:
    """Encode like a hosted file; return the match and whether both files decode to the same bytes."""
    ours = hosted.with_name("ours.mp4")
    match = encode_like(clip, read_encoding(hosted), ours)
    mine, theirs = read_clip(ours), read_clip(hosted)
    assert mine.fps == theirs.fps
    return match, np.array_equal(mine.frames, theirs.frames)


@pytest.mark.parametrize("quality", [5.0, 8.0])
def test_writes_the_frames_that_diffusers_writes(tmp_path: Path, quality: float) -> None:
    from diffusers.utils import export_to_video as peer

    clip = moving_ball(9)
    export_to_video(clip, tmp_path / "ours.mp4", quality=quality)
    images = [PIL.Image.fromarray(frame) for frame in clip.frames]
    peer(images, str(tmp_path / "theirs.mp4"), fps=int(clip.fps), quality=quality)
    ours, theirs = read_clip(tmp_path / "ours.mp4"), read_clip(tmp_path / "theirs.mp4")
    assert np.array_equal(ours.frames, theirs.frames)
    assert ours.fps == theirs.fps == clip.fps
    assert not np.array_equal(ours.frames, clip.frames)


def test_quality_changes_the_loss(tmp_path: Path) -> None:
    clip = moving_ball(9)
    loss = []
    for quality in (2.0, 9.0):
        export_to_video(clip, tmp_path / "a.mp4", quality=quality)
        loss.append(np.abs(read_clip(tmp_path / "a.mp4").frames.astype(int) - clip.frames).mean())
    assert loss[0] > 2 * loss[1]


# What a file tells


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
def test_arbitrary_bytes_tell_nothing(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.mp4"
    path.write_bytes(data)
    try:
        told = read_encoding(path).x264
    except NotMeasuredError:
        told = None
    assert told is None


@settings(max_examples=examples(50))
@given(changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=12), cut=st.integers(0, 6000))
def test_a_damaged_file_tells_something_or_nothing(
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
    told: Encoding | str
    try:
        told = read_encoding(base / "damaged.mp4")
    except NotMeasuredError as error:
        told = error.message
    assert isinstance(told, Encoding) or "\n" not in told


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
    assert "PyAV" in match.described


def test_the_colour_conversion_is_part_of_the_road(tmp_path: Path) -> None:
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
    assert differences(encoding.x264, written, {}) == (f"{other} here, {option} there",)


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
    assert f"scaled from {width}x{height} to 96x64" in match.described


def test_leaves_any_other_size_alone(tmp_path: Path) -> None:
    encoding = read_encoding(by_ffmpeg(grainy(3, 128, 192), tmp_path / "hosted.mp4"))
    match = encode_like(grainy(3), encoding, tmp_path / "ours.mp4")
    assert read_clip(tmp_path / "ours.mp4").frames.shape == (3, 64, 96, 3)
    assert "scaled" not in match.described


# What cannot be repeated


def test_names_what_it_could_not_repeat(tmp_path: Path) -> None:
    clip = grainy(3)
    matrix = ",".join(["17"] * 16)
    hosted = by_ffmpeg(clip, tmp_path / "hosted.mp4", "-x264-params", f"cqm4={matrix}")
    match, same = put_through(clip, hosted)
    assert not match.exact
    assert not same
    assert match.differences == ("cqm=2 there could not be repeated: the matrices are not in x264's note",)
    assert match.differences[0] in match.described


def test_names_another_core_and_unknown_options(tmp_path: Path) -> None:
    clip = grainy(3)
    encoding = read_encoding(by_ffmpeg(clip, tmp_path / "hosted.mp4", "-crf", "25"))
    assert encoding.x264 is not None
    core = encoding.x264.core
    old = X264(core - 1, "r1", encoding.x264.options.replace("rc=crf", "rc=2pass") + " fgo=10")
    match = encode_like(clip, replace(encoding, x264=old), tmp_path / "ours.mp4")
    assert not match.exact
    assert match.differences == (
        f"x264 core {core} here, {core - 1} there",
        "rc=2pass there could not be repeated: the first of two passes is not in the file",
        "fgo=10 there could not be repeated: its meaning is not known here",
    )


def test_names_a_matrix_that_is_not_converted_to(tmp_path: Path) -> None:
    clip = grainy(2)
    hosted = by_ffmpeg(clip, tmp_path / "hosted.mp4", "-x264-params", "colormatrix=YCgCo")
    match = encode_like(clip, read_encoding(hosted), tmp_path / "ours.mp4")
    assert match.differences == ("the matrix ycgco there could not be repeated",)


def test_a_rate_buffer_with_threads_is_never_exact(tmp_path: Path) -> None:
    clip = grainy(3)
    hosted = by_ffmpeg(clip, tmp_path / "hosted.mp4", *["-maxrate", "60k", "-bufsize", "60k", "-threads", "2"])
    match, _ = put_through(clip, hosted)
    assert not match.exact
    assert "x264 does not repeat itself" in match.described


def test_takes_the_encoder_with_the_hosts_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = grainy()
    hosted = by_ffmpeg(clip, tmp_path / "hosted.mp4", "-threads", "1")
    cores = {encoders.x264_in_ffmpeg: 1, encoders.x264_in_pyav: encoders.core_of(encoders.x264_in_pyav)}
    monkeypatch.setattr(encoders, "core_of", cores.get)
    ours = tmp_path / "ours.mp4"
    match = encode_like(clip, read_encoding(hosted), ours)
    assert "encoder" not in av.open(ours).streams.video[0].metadata  # PyAV wrote it
    assert np.array_equal(read_clip(ours).frames, read_clip(hosted).frames)
    assert match.exact


def _opencv(clip: Clip, path: Path) -> Path:
    height, width = clip.frames.shape[1:3]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), float(clip.fps), (width, height))
    for frame in clip.frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def _gif(clip: Clip, path: Path) -> Path:
    from diffusers.utils import export_to_gif

    export_to_gif([PIL.Image.fromarray(frame) for frame in clip.frames], str(path), fps=int(clip.fps))
    return path


@pytest.mark.parametrize(
    ("name", "host", "by"), [("a.mp4", _opencv, "OpenCV's mp4v writer"), ("a.gif", _gif, "a GIF by Pillow")]
)
def test_takes_diffusers_other_writers(tmp_path: Path, name: str, host: Callable[[Clip, Path], Path], by: str) -> None:
    clip = grainy()
    match, same = put_through(clip, host(clip, tmp_path / name))
    assert same  # the same library on the same machine
    assert not match.exact  # which nothing in the file tells
    assert by in match.described


@pytest.mark.parametrize(
    ("name", "options", "by"),
    [
        ("a.webm", "-vcodec libvpx-vp9", "libvpx-vp9 at the hosted file's mean rate"),
        ("a.mp4", "-vcodec mpeg4 -b:v 300k", "mpeg4 at the hosted file's mean rate"),
        ("a.mp4", "-flags bitexact -bsf:v filter_units=remove_types=6", "libx264 at the hosted file's mean rate"),
        ("a.avi", "-vcodec mjpeg -pix_fmt yuvj420p", "export_to_video at its default quality 5"),
    ],
)
def test_comes_near_where_the_file_is_silent(tmp_path: Path, name: str, options: str, by: str) -> None:
    clip = grainy()
    hosted = by_ffmpeg(clip, tmp_path / name, *options.split())
    match, same = put_through(clip, hosted)
    assert not match.exact
    assert not same or "mpeg4" in by
    assert by in match.described
    assert "does not say how it was encoded" in match.described
    ours, theirs = read_clip(tmp_path / "ours.mp4"), read_clip(hosted)
    assert ours.frames.shape == theirs.frames.shape


def test_refuses_in_one_line(tmp_path: Path) -> None:
    encoding = read_encoding(by_ffmpeg(grainy(2), tmp_path / "hosted.mp4"))
    with pytest.raises(NotMeasuredError, match=r"^the encoder refuses .* not divisible by 2 \(97x64\)$"):
        encode_like(grainy(2, 64, 97), encoding, tmp_path / "ours.mp4")
    with pytest.raises(NotMeasuredError, match="without frames"):
        encode_like(Clip(np.zeros((0, 64, 96, 3), np.uint8), Fraction(8)), encoding, tmp_path / "ours.mp4")
    with pytest.raises(NotMeasuredError) as refused:
        encode_like(grainy(2), encoding, tmp_path / "nowhere" / "ours.mp4")
    assert str(tmp_path) not in refused.value.message
    assert os.sep not in refused.value.message


# What the comparison could have seen


@pytest.mark.parametrize(("levels", "share", "pixels"), [(1, 0.01, 61), (4, 1.0, 6144), (16, 0.5, 3072)])
def test_plants_exactly_what_it_says(levels: int, share: float, pixels: int) -> None:
    clip = with_frames(moving_ball(5), np.where(moving_ball(5).frames > 128, 255, 0))
    changed = np.abs(planted(clip, levels, share).frames.astype(int) - clip.frames)
    assert set(np.unique(changed)) <= {0, levels}
    assert (changed[2] > 0).any(axis=-1).sum() == pixels
    assert (changed > 0).sum() == pixels * 3
    assert np.array_equal(planted(clip, levels, share).frames, planted(clip, levels, share).frames)


def test_a_lossless_host_shows_the_smallest_plant_as_it_was(tmp_path: Path) -> None:
    clip = grainy()
    encoding = read_encoding(
        by_ffmpeg(clip, tmp_path / "a.mp4", *["-vcodec", "libx264rgb", "-pix_fmt", "rgb24", "-crf", "0"])
    )
    seen = planted_resolution(clip, encoding)
    assert seen.seen
    assert seen.exact
    assert (seen.levels, seen.share, seen.frames) == (1, 0.01, 9)
    assert seen.psnr_after == pytest.approx(seen.psnr_before)
    assert "1 level in 1% of the pixels of one frame" in seen.sentence


def test_a_coarse_host_hides_small_plants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = moving_ball(12)
    by_ffmpeg(clip, tmp_path / "a.mp4", "-qp", "40", "-x264-params", "aq-mode=0")
    encodes: list[int] = []

    def counted(clip: Clip, encoding: Encoding, path: Path) -> Match:
        encodes.append(len(clip.frames))
        return encode_like(clip, encoding, path)

    monkeypatch.setattr(resolution, "encode_like", counted)
    seen = planted_resolution(clip, read_encoding(tmp_path / "a.mp4"))
    assert encodes == [9] * 4
    assert (seen.levels, seen.share) > (1, 0.01)
    assert "the next smaller one is gone" in seen.sentence or not seen.seen
