from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import PIL.Image
import pytest

from spacediff.clip import Clip, read_clip
from spacediff.codec import X264, encode_like, encoders, read_encoding
from spacediff.errors import NotMeasuredError
from spacediff.record import FactKind, fact
from support.encoders import by_ffmpeg, grainy, put_through


# What cannot be reproduced
def test_names_what_it_could_not_reproduce(tmp_path: Path) -> None:
    clip = grainy(3)
    matrix = ",".join(["17"] * 16)
    hosted = by_ffmpeg(clip, tmp_path / "hosted.mp4", "-x264-params", f"cqm4={matrix}")
    match, same = put_through(clip, hosted)
    assert not match.exact
    assert not same
    assert match.differences == (fact(FactKind.X264_OPTION_LOST, name="cqm", hosted="2", lost="matrices"),)
    assert match.path[0].because == [*match.differences]


def test_names_another_core_and_unknown_options(tmp_path: Path) -> None:
    clip = grainy(3)
    encoding = read_encoding(by_ffmpeg(clip, tmp_path / "hosted.mp4", "-crf", "25"))
    assert encoding.x264 is not None
    core = encoding.x264.core
    old = X264(core - 1, "r1", encoding.x264.options.replace("rc=crf", "rc=2pass") + " fgo=10")
    match = encode_like(clip, replace(encoding, x264=old), tmp_path / "ours.mp4")
    assert not match.exact
    assert match.differences == (
        fact(FactKind.X264_CORE_DIFFERS, local=core, hosted=core - 1),
        fact(FactKind.X264_OPTION_LOST, name="rc", hosted="2pass", lost="first-pass"),
        fact(FactKind.X264_OPTION_LOST, name="fgo", hosted="10", lost="meaning"),
    )


def test_names_a_matrix_that_is_not_converted_to(tmp_path: Path) -> None:
    clip = grainy(2)
    hosted = by_ffmpeg(clip, tmp_path / "hosted.mp4", "-x264-params", "colormatrix=YCgCo")
    match = encode_like(clip, read_encoding(hosted), tmp_path / "ours.mp4")
    assert match.differences == (fact(FactKind.MATRIX_LOST, matrix="ycgco"),)


def test_a_rate_buffer_with_threads_is_never_exact(tmp_path: Path) -> None:
    clip = grainy(3)
    hosted = by_ffmpeg(clip, tmp_path / "hosted.mp4", *["-maxrate", "60k", "-bufsize", "60k", "-threads", "2"])
    match, _ = put_through(clip, hosted)
    assert not match.exact
    assert fact(FactKind.X264_RATE_BUFFER) in match.differences


def test_takes_the_encoder_with_the_hosted_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    ("name", "host", "by"), [("a.mp4", _opencv, FactKind.NEAREST_OPENCV), ("a.gif", _gif, FactKind.NEAREST_GIF)]
)
def test_takes_diffusers_other_writers(
    tmp_path: Path, name: str, host: Callable[[Clip, Path], Path], by: FactKind
) -> None:
    clip = grainy()
    match, same = put_through(clip, host(clip, tmp_path / name))
    assert same  # the same library on the same machine
    assert not match.exact  # which nothing in the file says
    assert match.path[1].kind is by


@pytest.mark.parametrize(
    ("name", "options", "by"),
    [
        ("a.webm", "-vcodec libvpx-vp9", "libvpx-vp9"),
        ("a.mp4", "-vcodec mpeg4 -b:v 300k", "mpeg4"),
        ("a.mp4", "-flags bitexact -bsf:v filter_units=remove_types=6", "libx264"),
        ("a.avi", "-vcodec mjpeg -pix_fmt yuvj420p", ""),
    ],
)
def test_comes_close_where_the_file_says_nothing(tmp_path: Path, name: str, options: str, by: str) -> None:
    clip = grainy()
    hosted = by_ffmpeg(clip, tmp_path / name, *options.split())
    match, same = put_through(clip, hosted)
    assert not match.exact
    assert not same or "mpeg4" in by
    said, encoded = match.path
    assert said.kind is FactKind.ENCODING_UNSAID
    assert encoded.kind is (FactKind.NEAREST_ENCODER if by else FactKind.NEAREST_EXPORT)
    assert encoded.values.get("encoder", "") == by
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
