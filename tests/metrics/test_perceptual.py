from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from spacediff.clip.bands import MOST_PIXELS
from spacediff.errors import NotMeasuredError
from spacediff.metrics import alexnet, perceptual
from spacediff.metrics.lpips_package import by_lpips_package
from spacediff.metrics.perceptual import prepare_lpips
from spacediff.metrics.perceptual_strips import strips_of
from support.clips import moving_ball


@pytest.mark.parametrize("size", [(64, 96), (121, 75), (33, 32)])
def test_values_equal_those_of_lpips(size: tuple[int, int]) -> None:
    x, y = moving_ball(2, *size).frames
    z = moving_ball(1, *size, seed=5).frames[0]
    assert prepare_lpips(x)(y) == pytest.approx(by_lpips_package(x, y), abs=1e-5)
    assert prepare_lpips(x)(z) == pytest.approx(by_lpips_package(x, z), abs=1e-5)
    assert prepare_lpips(x)(z) > prepare_lpips(x)(y) > 0


@pytest.mark.parametrize("size", [(457, 75), (160, 32)])
@pytest.mark.parametrize("strips", [2, 7])
def test_strips_of_a_large_frame_add_up_to_its_distance(
    size: tuple[int, int], strips: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0)
    x, y = (noise.integers(0, 256, (*size, 3), np.uint8) for _ in range(2))
    whole = prepare_lpips(x)(y)
    monkeypatch.setattr(perceptual, "strips_of", partial(strips_of, most_pixels=size[0] * size[1] // strips))
    assert len(strips_of(x, size[0] * size[1] // strips)) >= strips
    assert prepare_lpips(x)(y) == pytest.approx(whole, rel=2e-6)


def test_a_strip_has_its_rows_and_a_margin_only() -> None:
    frame = np.broadcast_to(np.uint8(0), (2160, 3840, 3))
    strips = strips_of(frame)
    assert len(strips) == 8
    assert max(strip.rows.stop - strip.rows.start for strip in strips) * 3840 < MOST_PIXELS
    assert [sum(layer) for layer in zip(*(strip.shares for strip in strips), strict=True)] == pytest.approx([1.0] * 5)


def test_equal_frames_have_no_distance() -> None:
    frame = moving_ball(1).frames[0]
    assert prepare_lpips(frame)(frame.copy()) == 0.0


def test_the_backbone_is_trained() -> None:
    """A blurred frame is clearly closer than an unrelated one, which a random network does not guarantee."""
    import cv2

    frame = moving_ball(1, 128, 192).frames[0]
    blurred = cv2.GaussianBlur(frame, (0, 0), 1)
    unrelated = moving_ball(1, 128, 192, seed=9).frames[0]
    assert prepare_lpips(frame)(np.asarray(blurred)) < 0.5 * prepare_lpips(frame)(unrelated)


@pytest.mark.parametrize("file", ["damaged", "missing"])
def test_damaged_or_missing_weights_are_refused(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(alexnet._WEIGHTS.read_bytes())
    data[-1] ^= 1
    (tmp_path / "damaged").write_bytes(data)
    monkeypatch.setattr(alexnet, "_WEIGHTS", tmp_path / file)
    with pytest.raises(NotMeasuredError, match="missing or damaged"):
        alexnet.read_weights()


def test_small_frames_are_refused() -> None:
    with pytest.raises(NotMeasuredError, match="32x32"):
        prepare_lpips(np.zeros((31, 64, 3), np.uint8))
