from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import Clip
from spacediff.codec import Encoding, Match, encode_like, planted_resolution, read_encoding, resolution
from spacediff.codec.resolution import planted
from spacediff.record import FactKind
from support.clips import moving_ball, with_frames
from support.encoders import by_ffmpeg, grainy


# What the comparison can detect
@pytest.mark.parametrize(("levels", "share", "pixels"), [(1, 0.01, 61), (4, 1.0, 6144), (16, 0.5, 3072)])
def test_plants_exactly_what_it_says(levels: int, share: float, pixels: int) -> None:
    clip = with_frames(moving_ball(5), np.where(moving_ball(5).frames > 128, 255, 0))
    changed = np.abs(planted(clip, levels, share).frames.astype(int) - clip.frames)
    assert set(np.unique(changed)) <= {0, levels}
    assert (changed[2] > 0).any(axis=-1).sum() == pixels
    assert (changed > 0).sum() == pixels * 3
    assert np.array_equal(planted(clip, levels, share).frames, planted(clip, levels, share).frames)


def test_a_lossless_file_shows_the_smallest_planted_difference_unchanged(tmp_path: Path) -> None:
    clip = grainy()
    encoding = read_encoding(
        by_ffmpeg(clip, tmp_path / "a.mp4", *["-vcodec", "libx264rgb", "-pix_fmt", "rgb24", "-crf", "0"])
    )
    seen = planted_resolution(clip, encoding)
    assert seen.seen
    assert seen.exact
    assert (seen.levels, seen.share, seen.frames) == (1, 0.01, 9)
    assert seen.psnr_after == pytest.approx(seen.psnr_before)
    assert seen.fact.kind is FactKind.PLANTED_DIFFERENCE_SEEN
    assert seen.fact.values["smallest_tried"]


def test_a_coarse_encoding_removes_small_planted_differences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert not seen.fact.values.get("smallest_tried")
