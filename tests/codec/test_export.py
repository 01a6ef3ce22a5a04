from __future__ import annotations

from pathlib import Path

import imageio
import numpy as np
import PIL.Image
import pytest

from spacediff.clip import Clip, read_clip
from spacediff.codec import export_to_video
from support.clips import moving_ball


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


def test_sizes_that_the_writer_scales_are_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip = moving_ball(3)
    odd = Clip(np.ascontiguousarray(clip.frames[:, :-2, :-2]), clip.fps)
    export_to_video(odd, tmp_path / "a.mp4", quality=5.0)
    assert not caplog.records
    imageio.mimwrite(tmp_path / "b.mp4", list(odd.frames), fps=8)
    assert "macro_block_size" in caplog.text
