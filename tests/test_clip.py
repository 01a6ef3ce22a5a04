from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import Interpolation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacediff.clip import Clip, frames_digest, probe, read_clip, read_frame, read_frames, write_lossless, write_preview
from spacediff.codec import read_encoding
from spacediff.errors import NotMeasuredError
from support.clips import moving_ball
from support.fuzzing import examples
from support.heap import bytes_in_use


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(8, 40), st.integers(8, 40)),
    fps=st.sampled_from([Fraction(3), Fraction(8), Fraction(30000, 1001)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_lossless_files_keep_every_byte(tmp_path: Path, shape: tuple[int, int, int], fps: Fraction, seed: int) -> None:
    frames = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    clip = Clip(frames, fps)
    write_lossless(clip, tmp_path / "clip.mkv")
    read = read_clip(tmp_path / "clip.mkv")
    assert np.array_equal(read.frames, frames)
    assert read.digest == clip.digest
    assert float(read.fps) == pytest.approx(float(fps), rel=1e-3)


def test_a_file_that_is_left_early_keeps_no_memory(tmp_path: Path) -> None:
    if bytes_in_use() is None:
        pytest.skip("the C library does not say what is in use")
    write_preview(moving_ball(4), tmp_path / "a.mp4")

    def growth(times: int) -> int:
        before = bytes_in_use() or 0
        for _ in range(times):
            next(read_frames(tmp_path / "a.mp4"))
            read_encoding(tmp_path / "a.mp4")
        return (bytes_in_use() or 0) - before

    growth(50)
    assert growth(200) < 200 * 50, "PyAV kept 150 bytes and a packet each time"


def test_equal_clips_are_written_to_equal_files(tmp_path: Path) -> None:
    for name in ("a.mkv", "b.mkv"):
        write_lossless(moving_ball(), tmp_path / name)
    write_lossless(moving_ball(seed=1), tmp_path / "c.mkv")
    a, b, c = ((tmp_path / name).read_bytes() for name in ("a.mkv", "b.mkv", "c.mkv"))
    assert a == b
    assert a != c


@pytest.mark.parametrize("size", [(64, 96), (63, 95)])
def test_a_preview_shows_every_frame_of_the_clip(tmp_path: Path, size: tuple[int, int]) -> None:
    clip = moving_ball(5, *size)
    write_preview(clip, tmp_path / "preview.mp4")
    shown = read_clip(tmp_path / "preview.mp4").frames[:, : size[0], : size[1]]
    assert shown.shape == clip.frames.shape
    assert np.abs(shown.astype(int) - clip.frames).mean() < 2
    with av.open(tmp_path / "preview.mp4") as container:
        assert all(packet.is_keyframe for packet in container.demux(video=0) if packet.size)


def test_one_frame_is_the_same_as_among_all(tmp_path: Path) -> None:
    write_preview(moving_ball(5), tmp_path / "preview.mp4", key_frames=12)
    whole = read_clip(tmp_path / "preview.mp4").frames
    for number in (0, 3, 4):
        frame = read_frame(tmp_path / "preview.mp4", number)
        assert frame is not None
        assert np.array_equal(frame, whole[number])
    assert read_frame(tmp_path / "preview.mp4", 5) is None


def test_a_flat_colour_survives_the_preview_within_one_level(tmp_path: Path) -> None:
    colours = [(200, 30, 90), (12, 250, 128), (255, 255, 255), (0, 0, 0), (16, 16, 235)]
    frames = np.stack([np.full((64, 64, 3), colour, np.uint8) for colour in colours])
    write_preview(Clip(frames, Fraction(8)), tmp_path / "flat.mp4")
    assert np.abs(read_clip(tmp_path / "flat.mp4").frames.astype(int) - frames).max() <= 2


def test_decoding_is_closer_to_the_source_than_the_default_conversion(tmp_path: Path) -> None:
    clip = moving_ball(5, 128, 192)
    write_preview(clip, tmp_path / "a.mp4")
    with av.open(tmp_path / "a.mp4") as container:
        default = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    ours = np.abs(read_clip(tmp_path / "a.mp4").frames.astype(int) - clip.frames).mean()
    assert ours < np.abs(default.astype(int) - clip.frames).mean()


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "gray"])
@pytest.mark.parametrize("size", [(48, 64), (33, 95)])
def test_frames_are_those_of_an_accurate_conversion(tmp_path: Path, pixel_format: str, size: tuple[int, int]) -> None:
    """They are converted in another way where swscale is faster; the bytes are those of the plain one."""
    frames = np.random.default_rng(3).integers(0, 256, (3, *size, 3), np.uint8)
    with av.open(tmp_path / "a.mkv", "w") as container:
        stream = container.add_stream("mjpeg" if pixel_format.startswith("yuvj") else "ffv1", rate=8)
        stream.height, stream.width, stream.pix_fmt = *size, pixel_format
        stream.codec_context.colorspace = 1  # BT.709
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format=pixel_format)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    accurate = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    with av.open(tmp_path / "a.mkv") as container:
        decoded = [picture.reformat(format="rgb24", interpolation=accurate) for picture in container.decode(video=0)]
    plain = np.stack([picture.to_ndarray() for picture in decoded])
    assert np.array_equal(np.stack(list(read_frames(tmp_path / "a.mkv"))), plain)
    assert plain.shape == frames.shape


def test_the_metadata_of_a_file_are_read(tmp_path: Path) -> None:
    write_preview(moving_ball(fps=24), tmp_path / "a.mp4")
    info = probe(tmp_path / "a.mp4")
    assert (info.codec, info.pixel_format, info.width, info.height, info.fps) == (
        "h264",
        "yuv420p",
        96,
        64,
        Fraction(24),
    )
    assert (info.color_range, info.color_space) == ("tv", "bt709")


def test_the_digest_depends_on_frames_not_on_the_container(tmp_path: Path) -> None:
    clip = moving_ball()
    write_lossless(clip, tmp_path / "a.mkv")
    assert frames_digest(read_frames(tmp_path / "a.mkv")) == clip.digest
    changed = clip.frames.copy()
    changed[3, 5, 5, 0] ^= 1
    assert Clip(changed, clip.fps).digest != clip.digest


def test_floats_become_bytes_as_diffusers_does() -> None:
    from diffusers.image_processor import VaeImageProcessor

    floats = np.random.default_rng(0).random((3, 16, 16, 3), dtype=np.float32)
    as_pil = np.stack([np.asarray(image) for image in VaeImageProcessor.numpy_to_pil(floats)])
    truncated = (floats * 255).astype(np.uint8)  # what export_to_video does with arrays
    assert np.array_equal(Clip.from_floats(floats, Fraction(8)).frames, as_pil)
    assert np.array_equal(Clip.from_floats(floats, Fraction(8), rounding="truncate").frames, truncated)
    assert not np.array_equal(as_pil, truncated)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("rounding", ["round", "truncate"])
def test_converting_adds_one_frame_to_the_memory_of_the_clip(dtype: type[np.floating], rounding: str) -> None:
    floats = np.random.default_rng(1).random((64, 32, 48, 3)).astype(dtype) * dtype(1.2) - dtype(0.1)
    scaled = np.clip(floats, 0, 1) * np.float32(255)  # all at once
    at_once = (np.rint(scaled) if rounding == "round" else scaled).astype(np.uint8)
    tracemalloc.start()
    try:
        clip = Clip.from_floats(floats, Fraction(8), rounding=rounding)
        added = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.array_equal(clip.frames, at_once)
    assert added < clip.frames.nbytes + 5 * floats[0].size * 8, "a few arrays of one frame, of at most float64"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_frames_with_nan_or_infinity_are_refused(bad: float) -> None:
    floats = np.zeros((2, 8, 8, 3), np.float32)
    floats[1, 2, 3, 0] = bad
    with pytest.raises(NotMeasuredError, match="NaN or infinite"):
        Clip.from_floats(floats, Fraction(8))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"^a\.mp4 is empty: it has 0 bytes$"),
        (b"no video at all " * 100, "cannot be opened"),
        (b"\x00\x00\x00\x18ftypmp42", r"cannot be opened|no video"),
    ],
)
def test_a_file_that_is_not_a_video_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(NotMeasuredError, match=message):
        list(read_frames(tmp_path / "a.mp4"))


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    write_preview(moving_ball(30), tmp_path / "whole.mp4")
    whole = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "truncated.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(NotMeasuredError, match=r"is (damaged|truncated) after|cannot be opened"):
        list(read_frames(tmp_path / "truncated.mp4"))


def test_a_truncated_download_with_its_header_first_is_refused(tmp_path: Path) -> None:
    write_preview(moving_ball(30), tmp_path / "whole.mp4")
    assert len(list(read_frames(tmp_path / "whole.mp4"))) == 30
    whole = (tmp_path / "whole.mp4").read_bytes()
    for share in (0.3, 0.6, 0.9):
        (tmp_path / "truncated.mp4").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(NotMeasuredError, match=r"is (damaged|truncated) after"):
            list(read_frames(tmp_path / "truncated.mp4"))


@pytest.mark.parametrize(
    "content",
    [
        "ffconcat version 1.0\nfile secret.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    ],
    ids=["concat", "hls"],
)
@pytest.mark.parametrize("read", [probe, read_clip, read_encoding])
def test_a_list_of_other_files_is_refused(tmp_path: Path, content: str, read: Callable[[Path], object]) -> None:
    write_preview(moving_ball(3), tmp_path / "secret.mp4")
    (tmp_path / "hosted.mp4").write_text(content)
    with pytest.raises(NotMeasuredError, match=r"its container is not one of|Invalid data"):
        read(tmp_path / "hosted.mp4")


def test_an_audio_file_is_refused(tmp_path: Path) -> None:
    with av.open(tmp_path / "tone.mkv", "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(NotMeasuredError, match="no video stream"):
        probe(tmp_path / "tone.mkv")


def test_a_full_range_file_is_not_read_as_limited(tmp_path: Path) -> None:
    ramp = np.repeat(np.linspace(0, 255, 128).astype(np.uint8)[None, :, None], 64, 0).repeat(3, 2)
    with av.open(tmp_path / "full.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuvj420p"
        stream.codec_context.options = {"crf": "1"}
        for _ in range(3):
            luma = cv2.cvtColor(ramp, cv2.COLOR_RGB2GRAY)
            planes = np.concatenate([luma, np.full((32, 128), 128, np.uint8)])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuvj420p")))
        container.mux(stream.encode())
    assert probe(tmp_path / "full.mp4").color_range == "pc"
    assert np.abs(read_clip(tmp_path / "full.mp4").frames[0].astype(int) - ramp).max() <= 3
